import Domain
public import Postgres

/// Reads what backends were used for, to be held against a provider's own account of it.
public struct BackendUsageStore {
    /// More groups than this in one shard are refused: they would be cut short, and the sums wrong.
    public static let mostRows = 200_000

    private let connection: PostgresConnection

    /// Reads over `connection`, which belongs to the caller and its thread.
    public init(_ connection: PostgresConnection) { self.connection = connection }

    /// What the backends were used for, of all organizations, from one snapshot: the records they
    /// answered, calls in vain that are known to have used tokens, and corrections.
    ///
    /// Throws `invalid` when one shard has more than `mostRows` groups.
    public func usage(_ query: BackendUsageQuery) throws(LedgerError) -> BackendUsage {
        guard query.since < query.until else {
            throw .invalid("the time to compare would end before it begins")
        }
        var usage = BackendUsage()
        var isCut = false
        do throws(PostgresError) {
            usage = try connection.transaction(.readOnlySnapshot) {
                connection throws(PostgresError) in
                _ = try connection.execute(PostgresCommand(AuditSealStatements.unhurried, []))
                var usage = BackendUsage()
                let shards = try connection.execute(
                    PostgresCommand(BackendUsageStatements.shards, [])
                ).rows.map { row throws(PostgresError) in try row.int2(0) }
                for shard in shards where !isCut {
                    isCut = try !Self.read(shard, query, connection, into: &usage)
                }
                return usage
            }
        } catch {
            throw LedgerError(error)
        }
        if isCut {
            throw .invalid("there are more than \(Self.mostRows) groups: compare a shorter time")
        }
        return usage
    }

    /// Adds what one shard holds; false when there is more than may be read.
    private static func read(
        _ shard: Int16, _ query: BackendUsageQuery, _ connection: PostgresConnection,
        into usage: inout BackendUsage
    ) throws(PostgresError) -> Bool {
        // The last instant is left out, and with it the day that begins with it.
        let last = Timestamp(microseconds: query.until.microseconds - 1)
        let days: [PostgresValue] = [
            .int2(shard), .date(query.since.day.rawValue), .date(last.day.rawValue),
        ]
        let range: [PostgresValue] = [
            .timestamp(query.since.microseconds), .timestamp(query.until.microseconds),
        ]
        let names: PostgresValue = .texts(query.backends)
        let parameters =
            days + range + [names, .text(query.step.rawValue), .int8(Int64(mostRows) + 1)]
        func rows(_ statement: PostgresStatement) throws(PostgresError) -> [PostgresRow] {
            try connection.execute(
                PostgresCommand(statement, parameters), within: AuditStore.patience
            ).rows.map { $0 }
        }
        for statement in [BackendUsageStatements.records, BackendUsageStatements.attempts] {
            let found = try rows(statement)
            guard found.count <= mostRows else { return false }
            for row in found {
                let group = try group(row)
                usage.sums[group] = try (usage.sums[group] ?? .init()) + sums(row)
            }
        }
        for row in try rows(BackendUsageStatements.corrections) {
            let group = try group(row)
            let cost = try UsageReportStatement.number(row, 4)
            let tokens = try UsageReportStatement.number(row, 3)
            usage.sums[group]?.correct(tokens: -tokens)
            usage.sums[group]?.costNanoUSD += cost
        }
        for row in try connection.execute(
            PostgresCommand(BackendUsageStatements.dropped, days)
        ).rows {
            usage.droppedDays.insert(CalendarDay(rawValue: try row.date(0)))
        }
        usage.openRequests +=
            try connection.execute(
                PostgresCommand(BackendUsageStatements.open, [.int2(shard)] + range + [names])
            ).rows.first?.int8(0) ?? 0
        return true
    }

    private static func group(_ row: PostgresRow) throws(PostgresError) -> BackendUsage.Group {
        BackendUsage.Group(
            start: Timestamp(microseconds: try row.timestamp(0)), model: try row.text(1),
            backend: try row.text(2))
    }

    private static func sums(_ row: PostgresRow) throws(PostgresError) -> BackendUsage.Sums {
        var sums = BackendUsage.Sums()
        sums.requests = try UsageReportStatement.number(row, 3)
        sums.promptTokens = try UsageReportStatement.number(row, 4)
        sums.cachedTokens = try UsageReportStatement.number(row, 5)
        sums.cacheWriteTokens = try UsageReportStatement.number(row, 6)
        sums.completionTokens = try UsageReportStatement.number(row, 7)
        sums.costNanoUSD = try UsageReportStatement.number(row, 8)
        sums.estimatedTokens = try UsageReportStatement.number(row, 9)
        return sums
    }
}

extension DirectoryStore {
    /// What backends were used for, over the same connection.
    public var backendUsage: BackendUsageStore { BackendUsageStore(connection) }
}
