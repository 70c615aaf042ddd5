import Domain
import Foundation
import TestSupport
import Testing

@testable import Ledger
@testable import Postgres

/// Holds the ledger in memory to the real one: the same random commands on both, every answer and
/// in the end every row the same. Without this the simulation would prove things about a rumour.
@Suite struct StatementDifferenceTests {
    private static let seeds = 24
    private static let steps = 250

    @Test func `the ledger in memory answers like Postgres, and ends with the same rows`() throws {
        let database = try TestDatabase.make()
        let connection = try database.connection()
        defer { connection.close() }
        var tally = Tally()
        for seed in 0..<Int(Double(Self.seeds) * SimulationScale.factor) {
            var pair = try LedgerPair(seed: UInt64(seed), connection)
            for step in 0..<Self.steps {
                if let difference = try pair.step() {
                    Issue.record("seed \(seed), step \(step): \(difference)")
                    return
                }
            }
            let (memory, real) = (pair.memoryRows, try pair.realRows())
            for table in memory.keys.sorted() {
                #expect(memory[table] == real[table], "seed \(seed): \(table)")
            }
            tally.count(memory)
        }
        // A comparison of empty tables would be no comparison.
        #expect(tally.settled > 100 && tally.swept > 10 && tally.corrected > 3, "\(tally)")
    }
}

/// How much really happened.
private struct Tally {
    var settled = 0
    var swept = 0
    var corrected = 0

    mutating func count(_ rows: [String: [String]]) {
        settled += rows["usage"]?.count ?? 0
        swept += rows["usage"]?.count { $0.contains(" 4 8 {") } ?? 0
        corrected += rows["usage_adj"]?.count ?? 0
    }
}

/// The ledger in memory and a real one, side by side.
private struct LedgerPair {
    private let connection: PostgresConnection
    private var commands: RandomCommands
    private var tables: LedgerTables
    private let shard = OrganizationID.default.shard.rawValue

    init(seed: UInt64, _ connection: PostgresConnection) throws {
        self.connection = connection
        let text = try connection.execute(
            PostgresCommand(PostgresStatement(name: nil, sql: "SELECT now()"), []))
        let now = Timestamp(microseconds: try text.rows[0].timestamp(0))
        // Two hours of one day, whatever the time is.
        let origin = now.day.start + .seconds(36_000)
        commands = RandomCommands(seed: seed, shard: shard, origin: origin)
        tables = LedgerTables(shard: shard, now: now.microseconds)
        try connection.execute(
            script: """
                TRUNCATE node_lane, account, lease, reservation, usage, usage_adj, usage_hour,
                    quota, api_key, team;
                INSERT INTO team (shard, team_id, organization_id, name) VALUES (\(shard), 1, 1, 't');
                """)
        for number in 0..<3 {
            let account = RandomCommands.account(number, at: origin)
            let limit = RandomCommands.limits[number]
            try connection.execute(
                script: """
                    INSERT INTO quota (shard, organization_id, subject_kind, subject_id, resource,
                        period, limit_units) VALUES (\(shard), 1,
                        \(account.subject.kind.rawValue), \(account.subject.id),
                        \(account.resource.rawValue), \(account.period.rawValue), \(limit))
                    """)
            tables.quotas[Self.name(account)] = limit
        }
        for number in 0..<2 {
            let key = RandomCommands.key(number, shard: shard)
            try connection.execute(
                script: """
                    INSERT INTO api_key (shard, key_id, organization_id, team_id, subject_id, name,
                        prefix, mac, pepper_id, last4) VALUES (\(shard), \(key.databaseValue), 1,
                        1, \(number + 1), 'key', 'sk', decode(repeat('00', 32), 'hex'), 1, 'abcd')
                    """)
            tables.keys[key.databaseValue] = true
        }
        for command in commands.beginning() {
            _ = tables.transact([command])
            _ = try connection.execute(command)
        }
    }

    private static func name(_ account: AccountKey) -> LedgerTables.QuotaName {
        LedgerTables.QuotaName(
            kind: account.subject.kind.rawValue, subject: account.subject.id,
            resource: account.resource.rawValue, period: account.period.rawValue)
    }

    /// One transaction on both sides. What differs, if anything does.
    mutating func step() throws -> String? {
        try changeDirectory()
        let commands = commands.next()
        tables.now += 1000
        let expected = tables.transact(commands)
        let names = commands.map { $0.statement.name ?? $0.statement.sql.prefix(20).description }
        let real: [PostgresResult]
        do throws(PostgresError) {
            real = try connection.pipeline(commands)
        } catch {
            guard case .failure(let failed) = expected else {
                return "\(names): only Postgres refused: \(error.debugDescription)"
            }
            // Which bad row of a statement is refused first is Postgres' affair; to a node all are
            // "a row's own fault", of class 22 or 23.
            let isSame =
                ["22", "23"].contains(error.sqlState?.prefix(2))
                && error.commandIndex == failed.index
            return isSame ? nil : "\(names): \(error.debugDescription) is not \(failed)"
        }
        guard case .success(let answers) = expected else {
            return "\(names): only the ledger in memory refused: \(expected)"
        }
        for (index, command) in commands.enumerated() {
            let mine = try comparable(StatementAnswer.result(of: answers[index]), command)
            let theirs = try comparable(real[index], command)
            if mine != theirs {
                return "\(names[index]) \(command.parameters): \(mine) is not \(theirs)"
            }
        }
        learn()
        return nil
    }

    /// Now and then an administrator changes a limit, or a key is revoked and comes back.
    private mutating func changeDirectory() throws {
        if commands.random.chance(1, of: 30) {
            let account = RandomCommands.account(
                commands.random.below(3), at: Timestamp(microseconds: tables.now))
            let limit = Int64(commands.random.below(240))
            tables.quotas[Self.name(account)] = limit
            try connection.execute(
                script: """
                    UPDATE quota SET limit_units = \(limit) WHERE shard = \(shard)
                        AND subject_kind = \(account.subject.kind.rawValue)
                    """)
        }
        if commands.random.chance(1, of: 30) {
            let key = RandomCommands.key(commands.random.below(2), shard: shard).databaseValue
            let isValid = tables.keys[key] != true || commands.random.chance(2, of: 3)
            tables.keys[key] = isValid
            try connection.execute(
                script: """
                    UPDATE api_key SET revoked_at = \(isValid ? "NULL" : "now()")
                    WHERE shard = \(shard) AND key_id = \(key)
                    """)
        }
    }

    private mutating func learn() {
        for (node, lane) in tables.lanes {
            commands.learn(node: node, lastSequence: lane.lastSequence, epoch: lane.epoch)
        }
        commands.sizes = tables.leases.mapValues(\.granted)
        commands.swept = tables.usage.filter {
            !$0.value.accounts.isEmpty && $0.value.basis == UsageBasis.swept.rawValue
        }
        .sorted { $0.key.request < $1.key.request }
        .map { ($0.key.request, $0.key.day, $0.value.accounts[0]) }
    }

    /// An answer without what may differ: the time, the order of sets, and the counts that say
    /// "as many as there should be", whose type the server chooses.
    private func comparable(
        _ result: PostgresResult, _ command: PostgresCommand
    ) throws -> [[String]] {
        let name = command.statement.name
        let rows = try result.rows.map { row -> [String] in
            switch name {
            case "s1_fence", "lane_insert", "lane_renew", "lane_fence", "t_confirm",
                "t_release", "t_present", "t_require":
                ["1"]
            case "s2_open", "s3_close", "d_late": try row.uuids(0).sorted().map(String.init)
            case "w2_sweep": ["\(try row.int8(0))"]
            case "lane_beat": ["\(try row.int8(1))"]
            default: try (0..<row.count).map { column in "\(try row[column] ?? [])" }
            }
        }
        return rows.sorted { $0.joined() < $1.joined() }
    }
}

extension LedgerPair {
    /// Every row of the ledger in memory, as text.
    var memoryRows: [String: [String]] {
        func list(_ numbers: [Int64]) -> String {
            "{" + numbers.map(String.init).joined(separator: ",") + "}"
        }
        func id(_ request: UInt128) -> String { RequestID(rawValue: request).description }
        let texts = [
            "node_lane": tables.lanes.map {
                "\($0) \(id($1.epoch)) \($1.lastSequence) \($1.isLive)"
                    + ($1.timeline.map { " \($0)" } ?? "")
            },
            "account": tables.accounts.map {
                "\($0) \($1.limit) \($1.cap) \($1.granted) \($1.used) \($1.lastGrant) "
                    + "\($1.recallGeneration)"
            },
            "lease": tables.leases.map {
                "\($0) \($1.account) \($1.node) \(id($1.epoch)) \($1.granted) \($1.reserved) "
                    + "\($1.settled) \($1.rides)"
            },
            "reservation": tables.reservations.map {
                "\(id($0)) \($1.node) \(id($1.epoch)) \($1.key) \($1.prompt) \($1.completion) "
                    + "\(list($1.leases)) \(list($1.accounts)) \(list($1.units)) \($1.admittedAt)"
            },
            "usage": tables.usage.map {
                "\(id($0.request)) \($1.node) \($1.key) \($1.prompt) \($1.completion) "
                    + "\($1.charged) \($1.overage) \($1.basis) \($1.endState) "
                    + "\(list($1.accounts)) \(list($1.charges))"
            },
            "usage_adj": tables.corrections.map {
                "\(id($0.usage.request)) \($0.account) \($1)"
            },
            "usage_hour": tables.hours.map {
                "\($0.hour) \($0.key) \($0.model) \($0.node) \($1.requests) \($1.failedRequests) "
                    + "\($1.prompt) \($1.completion) \($1.charged) \($1.cost)"
            },
        ]
        return texts.mapValues { $0.sorted() }
    }

    /// The same of the real one.
    func realRows() throws -> [String: [String]] {
        let columns = [
            "node_lane": "node_id, epoch, last_seq, live, timeline",
            "account": "account_id, limit_units, cap, granted, used, last_grant, recall_gen",
            "lease": "lease_id, account_id, node_id, epoch, granted, reserved, settled, rides",
            "reservation": """
            request_id, node_id, epoch, key_id, prompt_bound, completion_bound, lease_ids,
            account_ids, units, (extract(epoch FROM admitted_at) * 1000000)::int8
            """,
            "usage": """
            request_id, node_id, key_id, prompt_tokens, completion_tokens, charged, overage,
            basis, end_state, account_ids, charges
            """,
            "usage_adj": "request_id, account_id, delta",
            "usage_hour": """
            (extract(epoch FROM hour) * 1000000)::int8, key_id, model_id, node_id, requests,
            failed_requests, prompt_tokens, completion_tokens, charged, cost_nanousd
            """,
        ]
        return try columns.reduce(into: [:]) { tables, entry in
            let fields = entry.value.split(separator: ", ").joined(separator: ", ")
            let sql = "SELECT \(fields) FROM \(entry.key)"
            let text =
                "SELECT replace(replace(concat_ws(' ', \(fields)), ' t', ' true'), "
                + "' f', ' false') FROM \(entry.key)"
            _ = sql
            tables[entry.key] = try connection.execute(
                PostgresCommand(PostgresStatement(name: nil, sql: text), [])
            ).rows.map { try $0.text(0) }.sorted()
        }
    }
}
