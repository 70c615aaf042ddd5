/// Which statements a session has prepared, and under which names the server knows them.
///
/// The types of the parameters are part of a statement's identity: the server fixes them when it
/// prepares, and a parameter of another type would be misread. So a name used with several types is
/// prepared once for each.
struct PreparedStatements {
    /// How a command is to be sent.
    enum Plan: Equatable {
        case unnamed
        case prepare(String)
        case use(String)
    }

    private struct Key: Hashable {
        let statement: PostgresStatement
        let types: [PostgresType]
    }

    /// The most statements one session prepares; the server keeps each for the session's life.
    static let most = 256

    /// Whether anything is prepared at all.
    let isEnabled: Bool
    private var names: [Key: String] = [:]
    private var unconfirmed: Set<String> = []
    private var counter = 0

    init(isEnabled: Bool) { self.isEnabled = isEnabled }

    /// The number of statements the server holds for us.
    var count: Int { names.count }

    /// Decides how to send `statement`. What is to be prepared counts as prepared from now on, so
    /// that a pipeline prepares it once; `settle` undoes that for what failed.
    mutating func plan(_ statement: PostgresStatement, types: [PostgresType]) -> Plan {
        guard isEnabled, let name = statement.name else { return .unnamed }
        let key = Key(statement: statement, types: types)
        if let known = names[key] { return .use(known) }
        guard names.count < Self.most else { return .unnamed }
        counter += 1
        // The number makes it unique; the server cuts names after 63 bytes.
        let unique = Self.clipped("s\(counter)_\(name)")
        names[key] = unique
        unconfirmed.insert(unique)
        return .prepare(unique)
    }

    /// Records that the server has prepared `name`.
    mutating func confirm(_ name: String) { unconfirmed.remove(name) }

    /// Forgets what was planned and not confirmed, at the end of a pipeline.
    mutating func settle() {
        if unconfirmed.isEmpty { return }
        names = names.filter { !unconfirmed.contains($0.value) }
        unconfirmed = []
    }

    /// Forgets everything, after the server was told to.
    mutating func removeAll() {
        names = [:]
        unconfirmed = []
    }

    private static func clipped(_ name: String) -> String {
        var clipped = name
        while clipped.utf8.count > 63 { clipped.removeLast() }
        return clipped
    }
}
