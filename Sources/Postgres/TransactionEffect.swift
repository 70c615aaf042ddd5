/// What a statement does to the transaction it runs in, as far as its first word tells.
enum TransactionEffect: Equatable {
    /// `BEGIN`, `START TRANSACTION`.
    case begins
    /// `COMMIT`, `END`, `PREPARE TRANSACTION`.
    case commits
    /// `ROLLBACK`, `ABORT`. With `TO SAVEPOINT` it does not end the transaction; treating it as if
    /// it did only makes a lost connection ambiguous where it need not be.
    case rollsBack
    /// Anything else.
    case none

    init(sql: String) {
        switch Self.firstWord(of: sql) {
        case "BEGIN", "START": self = .begins
        case "COMMIT", "END", "PREPARE": self = .commits
        case "ROLLBACK", "ABORT": self = .rollsBack
        default: self = .none
        }
    }

    /// The first word in capitals, after white space and comments.
    private static func firstWord(of sql: String) -> String {
        var rest = Substring(sql)
        while true {
            rest = rest.drop { $0.isWhitespace || $0 == ";" }
            if rest.hasPrefix("--") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*") {
                rest = afterBlockComment(rest)
            } else {
                return rest.prefix { $0.isLetter }.uppercased()
            }
        }
    }

    /// What follows the comment at the start; SQL's comments nest.
    private static func afterBlockComment(_ text: Substring) -> Substring {
        var rest = text
        var depth = 0
        while !rest.isEmpty {
            if rest.hasPrefix("/*") {
                depth += 1
                rest = rest.dropFirst(2)
            } else if rest.hasPrefix("*/") {
                depth -= 1
                rest = rest.dropFirst(2)
                if depth == 0 { break }
            } else {
                rest = rest.dropFirst()
            }
        }
        return rest
    }
}

/// The first point of a pipeline at which the server may commit something.
///
/// A connection lost while the answer to this point is outstanding leaves the outcome unknown.
struct CommitPoint: Equatable {
    /// The position of the committing command; the number of commands when the end of the pipeline
    /// commits what ran outside a transaction; nil when nothing can be committed.
    let index: Int?

    /// Finds the point in `statements`, sent when a transaction was already open or not.
    init(of statements: [PostgresStatement], insideTransaction: Bool) {
        var isOpen = insideTransaction
        var writesOutside = false
        for (index, statement) in statements.enumerated() {
            switch TransactionEffect(sql: statement.sql) {
            case .begins: isOpen = true
            case .commits where !statement.isReadOnly:
                self.index = index
                return
            case .commits, .rollsBack: isOpen = false
            case .none: if !isOpen && !statement.isReadOnly { writesOutside = true }
            }
        }
        index = writesOutside ? statements.count : nil
    }

    /// Whether a session that the server ended while working on command `index` may have committed.
    ///
    /// The server answers in order, so its own words at an earlier command prove that the commit
    /// was never reached. A proxy's words prove nothing: answers may have been lost behind it.
    func mayHaveHappened(endedAt index: Int, by fault: PostgresServerFault) -> Bool {
        guard let point = self.index else { return false }
        let isServersOwn =
            fault.sourceFunction != nil
            && (fault.sqlState.hasPrefix("57P") || fault.sqlState.hasPrefix("25P"))
        return !isServersOwn || index >= point
    }
}
