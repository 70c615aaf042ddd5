/// How a database's schema stands to what this program knows.
public enum SchemaState: Sendable, Hashable {
    /// They are the same.
    case current(version: Int32)
    /// The database lacks migrations that this program has: `turnpike migrate` brings them.
    case tooOld(version: Int32, needs: Int32)
    /// The database has migrations that this program does not know: it needs a newer program.
    case tooNew(version: Int32, knows: Int32)
    /// A migration was changed after it was applied.
    case changed(number: Int32, name: String)
    /// A migration was applied that this program lacks, or one between others was never applied.
    case missing(number: Int32, name: String)

    /// Whether `turnpike migrate` may go on from here.
    var isMigratable: Bool {
        switch self {
        case .current, .tooOld: true
        case .tooNew, .changed, .missing: false
        }
    }
}

extension SchemaState: CustomStringConvertible {
    /// One sentence that says what to do.
    public var description: String {
        switch self {
        case .current(let version): "the database is at schema version \(version)"
        case .tooOld(let version, let needs):
            "the database is at schema version \(version), this program needs \(needs): "
                + "run \"turnpike migrate\""
        case .tooNew(let version, let knows):
            "the database is at schema version \(version), this program knows versions up to "
                + "\(knows): use a newer program"
        case .changed(let number, let name):
            "migration \(Migration.label(number, name)) is not the one that was applied to the "
                + "database: restore its file, and write changes into a new migration"
        case .missing(let number, let name):
            "migration \(Migration.label(number, name)) is missing: the applied migrations and "
                + "those of this program are not one unbroken line"
        }
    }
}

/// A migration as the database remembers it.
struct AppliedMigration: Sendable, Hashable {
    let number: Int32
    let name: String
    let checksum: [UInt8]
}

extension SchemaState {
    /// Compares what was `applied`, in order, with what a program has. Pure.
    ///
    /// A database that is too new is told apart first: its newer migrations are no fault of
    /// anybody's.
    init(applied: [AppliedMigration], known: [Migration]) {
        let newest = known.last?.number ?? 0
        let version = applied.last?.number ?? 0
        if version > newest {
            self = .tooNew(version: version, knows: newest)
            return
        }
        for (index, found) in applied.enumerated() {
            let expected = known[index]
            guard found.number == expected.number else {
                self = .missing(number: expected.number, name: expected.name)
                return
            }
            guard found.checksum == expected.checksum else {
                self = .changed(number: found.number, name: found.name)
                return
            }
        }
        self =
            applied.count == known.count
            ? .current(version: version) : .tooOld(version: version, needs: newest)
    }
}
