public import Domain
public import Postgres

/// Proves the books from the tables alone.
///
/// Checked for each shard, in one snapshot: per account the identity `granted = used + leases`, the
/// limits, and `used + settled = records + corrections`; per lease and account the open requests;
/// each record by itself; one record for each request; the rollup; of dropped days how requests
/// ended, and their times; the corrections, those of prices too; the default partition; the record
/// of each change of the directory; per lane that its batches are without a hole, and that every
/// opening that it ever accepted is open or has its record. What the tables cannot show is not
/// checked: that a settled request stayed within its bound, whose row is gone.
public struct AuditStore {
    /// The longest that one question may take.
    static let patience: Duration = .seconds(3600)
    /// Reads everything.
    static let everything: Int32 = .min

    private static let questions = [
        AuditStatements.accounts, AuditStatements.leases, AuditStatements.reservations,
        AuditLaneStatements.openings, AuditLaneStatements.counts, AuditRecordStatements.records,
        AuditRecordStatements.charges,
        AuditRecordStatements.duplicates, AuditRecordStatements.rollup,
        AuditRecordStatements.droppedRollup, AuditEndStatements.ends, AuditEndStatements.times,
        AuditRecordStatements.corrections,
        AuditRecordStatements.strays, AuditPriceStatements.corrections,
        AuditPriceStatements.accounts, AuditActionStatements.changes,
    ]

    private let connection: PostgresConnection

    /// Audits over `connection`, which belongs to the caller and its thread.
    public init(_ connection: PostgresConnection) { self.connection = connection }

    /// Audits one shard, or all that hold anything.
    ///
    /// An incremental audit that finds nothing seals the days that have been closed for a day;
    /// nothing else is ever written. Nodes are not held up: a snapshot waits for nobody and nobody
    /// for it.
    public func audit(_ shard: Shard?, depth: AuditDepth) throws(LedgerError) -> AuditReport {
        do throws(PostgresError) {
            var report = AuditReport()
            if let shard {
                try audit(shard, depth, &report)
            } else {
                for shard in try shards() { try audit(shard, depth, &report) }
            }
            return report
        } catch {
            throw LedgerError(error)
        }
    }

    private func shards() throws(PostgresError) -> [Shard] {
        try connection.execute(
            PostgresCommand(AuditSealStatements.shards, []), within: Self.patience
        ).rows.map { row throws(PostgresError) in
            let number = try row.int2(0)
            guard (0...255).contains(number) else {
                throw PostgresError(kind: .decoding(reason: "a row is in shard \(number)"))
            }
            return Shard(rawValue: number)
        }
    }

    private func audit(
        _ shard: Shard, _ depth: AuditDepth, _ report: inout AuditReport
    ) throws(PostgresError) {
        var isStale = false
        let findings = try snapshot { connection throws(PostgresError) in
            var frontier = try Self.frontier(shard, connection)
            if case .complete = depth { frontier = Self.everything }
            var findings = try Self.findings(shard, frontier, connection)
            if frontier != Self.everything, findings.contains(where: { $0.weight == .difference }) {
                // A record that came late into a sealed day looks like a difference, and a
                // difference behind the frontier could not be named: both are settled by reading
                // everything, in the same snapshot.
                frontier = Self.everything
                findings = try Self.findings(shard, frontier, connection)
                isStale = !findings.contains { $0.weight == .difference }
            }
            try Self.measure(shard, frontier, connection, &report.extent)
            return findings
        }
        report.findings += findings
        guard case .incremental = depth, !findings.contains(where: { $0.weight == .difference })
        else { return }
        if isStale { try unseal(shard) }
        try seal(shard)
    }

    /// Runs `body` in one snapshot, with time to think.
    private func snapshot<Value>(
        _ body: (PostgresConnection) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        try connection.transaction(.readOnlySnapshot) { connection throws(PostgresError) in
            _ = try connection.execute(PostgresCommand(AuditSealStatements.unhurried, []))
            return try body(connection)
        }
    }

    static func frontier(
        _ shard: Shard, _ connection: PostgresConnection
    ) throws(PostgresError) -> Int32 {
        try connection.execute(
            PostgresCommand(AuditSealStatements.frontier, [.int2(shard.rawValue)])
        ).rows.first?.date(0) ?? everything
    }

    private static func findings(
        _ shard: Shard, _ frontier: Int32, _ connection: PostgresConnection
    ) throws(PostgresError) -> [AuditFinding] {
        var findings: [AuditFinding] = []
        for question in questions {
            let command = PostgresCommand(
                question,
                [
                    .int2(shard.rawValue), .date(frontier), .int8(AuditReport.mostFindings),
                ])
            for row in try connection.execute(command, within: patience).rows {
                findings.append(try finding(row, shard))
            }
        }
        return findings
    }

    private static func finding(
        _ row: PostgresRow, _ shard: Shard
    ) throws(PostgresError) -> AuditFinding {
        guard let weight = AuditFinding.Weight(rawValue: try row.text(0)) else {
            throw PostgresError(kind: .decoding(reason: "a finding has an unknown weight"))
        }
        return AuditFinding(
            weight: weight, rule: try row.text(1), table: try row.text(2), shard: shard,
            row: try row.text(3), found: try row.text(4), expected: try row.text(5))
    }

    private static func measure(
        _ shard: Shard, _ frontier: Int32, _ connection: PostgresConnection,
        _ extent: inout AuditReport.Extent
    ) throws(PostgresError) {
        let command = PostgresCommand(
            AuditRecordStatements.extent, [.int2(shard.rawValue), .date(frontier)])
        guard let row = try connection.execute(command, within: patience).rows.first else { return }
        extent.shards += 1
        extent.accounts += try row.int8(0)
        extent.reservations += try row.int8(1)
        extent.records += try row.int8(2)
        extent.sealedRecords += try row.int8(3)
    }

    /// Seals the days that have been closed for a day, the oldest first. A later audit compares
    /// them with the accounts again, so that a seal of records that changed since the snapshot is
    /// found.
    private func seal(_ shard: Shard) throws(PostgresError) {
        let days = try snapshot { connection throws(PostgresError) in
            let frontier = try Self.frontier(shard, connection)
            return try connection.execute(
                PostgresCommand(
                    AuditSealStatements.sealable, [.int2(shard.rawValue), .date(frontier)]),
                within: Self.patience
            ).rows.map { row throws(PostgresError) in try row.date(0) }
        }
        for day in days {
            try connection.transaction { connection throws(PostgresError) in
                _ = try connection.execute(PostgresCommand(AuditSealStatements.unhurried, []))
                _ = try connection.execute(
                    PostgresCommand(
                        AuditSealStatements.seal,
                        [.int2(shard.rawValue), .date(day), .bool(false)]), within: Self.patience)
            }
        }
    }

    /// Forgets the seals of records that are still there.
    private func unseal(_ shard: Shard) throws(PostgresError) {
        try connection.transaction { connection throws(PostgresError) in
            for statement in [
                AuditSealStatements.unsealDays, AuditSealStatements.unsealAccounts,
                AuditSealStatements.unsealKeys, AuditSealStatements.unsealNodes,
            ] {
                _ = try connection.execute(
                    PostgresCommand(statement, [.int2(shard.rawValue), .date(Self.everything)]))
            }
        }
    }
}

extension DirectoryStore {
    /// The audit, over the same connection.
    public var auditor: AuditStore { AuditStore(connection) }
}
