/// What one command gave.
public struct PostgresResult: Sendable {
    /// The rows, in the server's order.
    public let rows: [PostgresRow]
    /// The number of rows inserted, updated, deleted or selected; 0 for commands that touch none.
    public let affectedRows: Int
    /// What the server says it did, like `INSERT 0 3`, `COMMIT` or `ROLLBACK`.
    public let commandTag: String
    /// What the server mentioned while it worked on this command; at most `mostNotices`.
    public internal(set) var notices: [PostgresNotice]

    /// The most notices kept for one command; the handler sees all.
    public static let mostNotices = 64

    /// The notices that are warnings.
    public var warnings: [PostgresNotice] { notices.filter { $0.severity == "WARNING" } }

    init(_ storage: ResultStorage, notices: [PostgresNotice]) {
        rows = (0..<storage.rowCount).map { PostgresRow(storage, index: $0) }
        affectedRows = storage.affectedRows
        commandTag = storage.commandTag
        self.notices = notices
    }
}
