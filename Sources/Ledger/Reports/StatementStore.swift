import Domain
public import Postgres

/// Says what a subject had used at an instant of the past.
public struct StatementStore {
    private let connection: PostgresConnection

    /// Reads over `connection`, which belongs to the caller and its thread.
    public init(_ connection: PostgresConnection) { self.connection = connection }

    /// A record's time is when its transaction began; only after so long is it certain that all of
    /// them are there.
    public static let settlingTime: Duration = .seconds(60)

    /// The statement. Throws `invalid` for an instant that is not `settlingTime` past by the
    /// ledger's clock, and for one that cuts through a day whose records were dropped.
    public func statement(_ query: StatementQuery) throws(LedgerError) -> Statement {
        guard query.since <= query.at else {
            throw .invalid("the statement would begin after its instant")
        }
        var refusal: String?
        let found: Statement?
        do throws(PostgresError) {
            found = try connection.transaction(.readOnlySnapshot) {
                connection throws(PostgresError) in
                _ = try connection.execute(PostgresCommand(AuditSealStatements.unhurried, []))
                refusal = try Self.refusal(query, connection)
                return refusal == nil ? try Self.read(query, connection) : nil
            }
        } catch {
            throw LedgerError(error)
        }
        guard let found else { throw .invalid(refusal ?? "there is no statement") }
        return found
    }

    private static let clock = PostgresStatement(name: nil, sql: "SELECT now()", isReadOnly: true)

    private static func refusal(
        _ query: StatementQuery, _ connection: PostgresConnection
    ) throws(PostgresError) -> String? {
        let now = Timestamp(
            microseconds: try connection.execute(PostgresCommand(clock, [])).rows.first?
                .timestamp(0) ?? .min)
        if query.at > now { return "the instant is in the future" }
        if query.at + settlingTime > now {
            return "records of the last \(settlingTime.components.seconds) seconds may still be"
                + " written: give an earlier instant"
        }
        let command = PostgresCommand(
            StatementStatements.cut,
            [
                .int2(query.organization.shard.rawValue), .timestamp(query.at.microseconds),
                .timestamp(query.since.microseconds),
            ])
        let cut = try connection.execute(command).rows.first?.optionalDate(0)
        return cut.map {
            let day = CalendarDay(rawValue: $0)
            return "the records of \(day) were dropped, and of that day only the total is known"
        }
    }

    private static func read(
        _ query: StatementQuery, _ connection: PostgresConnection
    ) throws(PostgresError) -> Statement {
        let subject: [PostgresValue] = [
            .int2(query.organization.shard.rawValue), .int8(query.organization.rawValue),
            .int2(query.subject.kind.rawValue), .int8(query.subject.id),
            .timestamp(query.at.microseconds),
        ]
        let lines = try connection.execute(
            PostgresCommand(StatementStatements.lines, subject), within: AuditStore.patience
        ).rows.map { row throws(PostgresError) in try line(row, query.subject.kind) }
        let usage = try connection.execute(
            PostgresCommand(
                StatementStatements.usage, subject + [.timestamp(query.since.microseconds)]),
            within: AuditStore.patience
        ).rows.first
        var sums = UsageSums()
        if let usage {
            sums.requests = try UsageReportStatement.number(usage, 0)
            sums.failedRequests = try UsageReportStatement.number(usage, 1)
            sums.promptTokens = try UsageReportStatement.number(usage, 2)
            sums.cachedTokens = try UsageReportStatement.number(usage, 3)
            sums.cacheWriteTokens = try UsageReportStatement.number(usage, 4)
            sums.completionTokens = try UsageReportStatement.number(usage, 5)
            sums.reasoningTokens = try UsageReportStatement.number(usage, 6)
            sums.chargedTokens = try UsageReportStatement.number(usage, 7)
            sums.costNanoUSD = try UsageReportStatement.number(usage, 8)
        }
        return Statement(lines: lines, usage: sums)
    }

    private static func line(
        _ row: PostgresRow, _ kind: Subject.Kind
    ) throws(PostgresError) -> Statement.Line {
        guard let resource = Resource(rawValue: try row.int2(0)),
            let period = Period(rawValue: try row.int2(1))
        else { throw PostgresError(kind: .decoding(reason: "an account has an unknown kind")) }
        return Statement.Line(
            account: AccountKey(
                subject: Subject(kind: kind, id: try row.int8(6)), resource: resource,
                period: period, start: CalendarDay(rawValue: try row.date(2))),
            model: SubjectModelStatements.model(try row.text(7)),
            limit: try row.int8(3), charged: try UsageReportStatement.number(row, 4),
            corrected: try UsageReportStatement.number(row, 5))
    }
}

extension DirectoryStore {
    /// Statements, over the same connection.
    public var statements: StatementStore { StatementStore(connection) }
}
