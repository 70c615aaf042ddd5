import Domain
public import Postgres

/// Reads the books for administrators. Changes nothing.
public struct ReportStore {
    /// A report with more rows is refused: it would be cut short, and its sums would be wrong.
    public static let mostRows = 50_000

    let connection: PostgresConnection

    /// Reads over `connection`, which belongs to the caller and its thread.
    public init(_ connection: PostgresConnection) { self.connection = connection }

    /// Runs commands that belong together and returns the rows of the last one.
    func pipeline(_ commands: [PostgresCommand]) throws(PostgresError) -> [PostgresRow] {
        do {
            return try connection.pipeline(commands).last?.rows ?? []
        } catch {
            throw PostgresError(kind: error.kind)
        }
    }

    /// The organization's keys, or those of one team, or one of them; with these tags.
    func keys(
        of organization: OrganizationID, team: TeamID?, key: KeyID?, tags: [String]
    ) throws(PostgresError) -> [Int64] {
        let command = UsageReportStatement.keys(
            of: organization, team: team, key: key, tags: tags)
        return try connection.execute(command).rows.first?.int8s(0) ?? []
    }

    /// What was used, from one snapshot of the rollup by hour: by day and hour in order of time,
    /// else the largest first. By how requests ended it is from the records, and beyond those as
    /// ``DroppedDays`` says.
    ///
    /// Only the organization's own keys are counted, whatever the query names besides. Throws
    /// `invalid` when there are more than `mostRows` rows.
    public func usage(_ query: UsageQuery) throws(LedgerError) -> [UsageRow] {
        let rows: [UsageRow]
        do throws(PostgresError) {
            let keys = try keys(
                of: query.organization, team: query.team, key: query.key, tags: query.tags)
            let report = UsageReportStatement.report(
                query, of: keys, mostRows: Int64(Self.mostRows) + 1)
            // A snapshot for each statement, whatever the database's habit: one that was taken
            // before retention dropped a day would know neither its records nor its seal.
            rows = try connection.transaction(.readOnly) { _ throws(PostgresError) in
                try pipeline(report)
            }.map { row throws(PostgresError) in
                try UsageReportStatement.decode(row, query.grouping)
            }
        } catch {
            throw LedgerError(error)
        }
        guard rows.count <= Self.mostRows else {
            throw .invalid("the report has more than \(Self.mostRows) rows: ask for a shorter time")
        }
        return rows
    }
}

extension DirectoryStore {
    /// The reports, over the same connection.
    public var reports: ReportStore { ReportStore(connection) }
}
