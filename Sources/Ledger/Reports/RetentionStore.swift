public import Domain
import Postgres

/// Takes away the records of old days, once their totals are sealed.
///
/// Each day is one transaction: seal, comparison of the seal with the records, detachment, drop and
/// the record of who did it happen together or not at all,
/// so that a crash at any point leaves whole days, and running it
/// again goes on. What an audit says is the same before and after.
public struct RetentionStore {
    /// Younger days are never dropped: their requests may still be open, and their audit is not
    /// over.
    public static let leastDays: Int32 = 2
    /// How often a partition that is in use is tried again, half a second each.
    private static let attempts = 10

    private let connection: PostgresConnection
    private let recorder: ActionRecorder
    /// Called before each statement about a day and before the commit: for tests that kill there.
    private let beforeStep: () -> Void

    /// Works over `connection`, which belongs to the caller and its thread.
    init(_ connection: PostgresConnection, _ recorder: ActionRecorder) {
        self.init(connection, recorder, beforeStep: {})
    }

    init(
        _ connection: PostgresConnection, _ recorder: ActionRecorder,
        beforeStep: @escaping () -> Void
    ) {
        self.connection = connection
        self.recorder = recorder
        self.beforeStep = beforeStep
    }

    /// The days that keeping `days` whole days before today would drop, the oldest first.
    public func due(keeping days: Int32) throws(LedgerError) -> [CalendarDay] {
        guard days >= Self.leastDays else {
            throw .invalid("at least \(Self.leastDays) days are kept")
        }
        return try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try connection.execute(PostgresCommand(RetentionStatements.due, [.int4(days)])).rows
                .map { row throws(PostgresError) in CalendarDay(rawValue: try row.date(0)) }
        }
    }

    /// Audits everything, then seals and drops each day that is due, until one cannot be.
    public func drop(keeping days: Int32) throws(LedgerError) -> RetentionReport {
        var report = RetentionReport()
        let due = try due(keeping: days)
        if due.isEmpty { return report }
        let differences = try AuditStore(connection).audit(nil, depth: .complete).differences
        guard differences.isEmpty else {
            report.obstacle = .differences(differences)
            return report
        }
        for day in due {
            switch try drop(day) {
            case .dropped(let records):
                report.dropped.append(RetentionReport.Dropped(day: day, records: records))
            case .wasGone: continue
            case .stopped(let obstacle):
                report.obstacle = obstacle
                return report
            }
        }
        return report
    }

    private enum Outcome {
        case dropped(Int64)
        case wasGone
        case stopped(RetentionReport.Obstacle)
    }

    private func drop(_ day: CalendarDay) throws(LedgerError) -> Outcome {
        for _ in 0..<Self.attempts {
            var differs = false
            do throws(PostgresError) {
                return try connection.transaction { connection throws(PostgresError) in
                    try attempt(day, connection, &differs)
                }
            } catch {
                if differs { return .stopped(.sealDiffers(day)) }
                // When the wait for the lock was over, nothing has happened.
                guard error.isConflict || error.sqlState == "55P03" else {
                    throw LedgerError(error)
                }
            }
        }
        return .stopped(.busy(day))
    }

    /// One try, in a transaction. A seal that differs is thrown, which undoes what the transaction
    /// had written, and told by `differs`.
    private func attempt(
        _ day: CalendarDay, _ connection: PostgresConnection, _ differs: inout Bool
    ) throws(PostgresError) -> Outcome {
        func run(
            _ statement: PostgresStatement, _ parameters: [PostgresValue]
        ) throws(PostgresError) -> [PostgresRow] {
            beforeStep()
            return try connection.execute(
                PostgresCommand(statement, parameters), within: AuditStore.patience
            ).rows
        }
        let date = PostgresValue.date(day.rawValue)
        _ = try run(RetentionStatements.begin, [])
        guard try run(RetentionStatements.isThere, [date]).first?.bool(0) == true else {
            return .wasGone
        }
        _ = try run(RetentionStatements.hold, [date])
        let open = try run(RetentionStatements.open, [date]).first?.int8(0) ?? 0
        guard open == 0 else { return .stopped(.openRequests(day, count: open)) }
        var records: Int64 = 0
        for row in try run(RetentionStatements.shards, [date]) {
            let shard = PostgresValue.int2(try row.int2(0))
            records += try row.int8(1)
            _ = try run(AuditSealStatements.seal, [shard, date, .bool(true)])
            _ = try run(RetentionStatements.mark, [shard, date])
            _ = try run(RetentionStatements.dropAttempts, [shard, date])
            _ = try run(RetentionStatements.dropAudio, [shard, date])
            _ = try run(RetentionStatements.dropUsers, [shard, date])
            guard try run(RetentionStatements.verify, [shard, date]).first?.int8(0) == 0 else {
                differs = true
                throw PostgresError(kind: .invalid(reason: "a seal differs from its records"))
            }
        }
        _ = try run(RetentionStatements.drop, [date])
        beforeStep()
        try recorder.write(
            .recordsDrop, ActionSubject(kind: .day, id: nil, name: "\(day)"),
            before: ActionState([("records", .number(records))]), after: nil, connection)
        beforeStep()
        return .dropped(records)
    }
}

extension DirectoryStore {
    /// Retention, over the same connection.
    public var retention: RetentionStore { RetentionStore(connection, recorder) }
}
