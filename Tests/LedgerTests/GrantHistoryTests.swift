import Domain
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Ledger

/// R19: grants, returns, folds and changes of a limit from several connections at once, some of
/// which are lost with their answers, look as if they had happened one after the other.
///
/// `TURNPIKE_HISTORY_OPERATIONS` sets how many operations; by hand 100,000.
@Suite(.serialized) struct GrantHistoryTests {
    private static let clients = 4
    private static let operationsEach = 10
    private static let operations =
        ProcessInfo.processInfo.environment["TURNPIKE_HISTORY_OPERATIONS"].flatMap(Int.init)
        ?? 8_000

    @Test func `every history of an account is explained by one order of its transitions`()
        async throws
    {
        let fixture = try DirectoryFixture()
        let bench = try HistoryBench(fixture, clients: Self.clients)
        var done = 0
        var lost = 0
        var number: Int64 = 0
        while done < Self.operations {
            number += 1
            let history = try await run(bench, number: number)
            done += history.calls.count
            lost += history.calls.count { $0.answer == .lost }
            let books = GrantHistory.Books(quota: HistoryBench.quota, clients: Self.clients)
            let isExplained = history.isExplained(from: books)
            #expect(isExplained, "history \(number):\n\(history)")
            if !isExplained { break }
        }
        print("grant histories: \(number), \(done) operations, \(lost) answers lost")
        #expect(lost > 0)
        await bench.shutdown()
    }

    @Test func `the checker refuses a history that no order explains`() {
        let start = GrantHistory.Books(quota: 100, clients: 2)
        func history(
            _ calls: [(Int, GrantHistory.Operation, GrantHistory.Answer)]
        ) -> GrantHistory {
            var history = GrantHistory()
            for (client, operation, answer) in calls {
                let call = history.begin(operation, by: client)
                history.end(call, answer)
            }
            return history
        }
        let head: [(Int, GrantHistory.Operation, GrantHistory.Answer)] = [
            (0, .ensure, .row([])), (0, .grow(want: 60, least: 60), .row([60, 40])),
        ]
        #expect(history(head).isExplained(from: start))
        // Both cannot have had 60 of 100.
        let over = history(head + [(1, .grow(want: 60, least: 60), .row([60, 0]))])
        #expect(!over.isExplained(from: start))
        // A return whose answer was lost explains what otherwise nothing does.
        let found = history(
            head + [
                (0, .giveBack(60, of: 60), .lost), (1, .grow(want: 60, least: 60), .row([60, 40])),
            ])
        #expect(found.isExplained(from: start))
        // It cannot have been done before it was sent.
        let early = history(
            head + [
                (1, .grow(want: 60, least: 60), .row([60, 40])), (0, .giveBack(60, of: 60), .lost),
            ])
        #expect(!early.isExplained(from: start))
    }

    private func run(_ bench: HistoryBench, number: Int64) async throws -> GrantHistory {
        let account = try await bench.makeQuota(number)
        let history = HistoryLog()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<Self.clients {
                group.addTask {
                    var random = SplitMix(seed: UInt64(number) << 8 | UInt64(client))
                    var lease = HistoryBench.Lease()
                    for _ in 0..<Self.operationsEach {
                        let operation = Self.operation(client, &lease, &random)
                        let call = history.change { $0.begin(operation, by: client) }
                        let answer = try await bench.perform(
                            operation, by: client, on: account,
                            cutAfter: random.below(6) == 0
                                ? .microseconds(Int64(random.below(120)) + 10) : nil)
                        history.change { $0.end(call, answer) }
                        lease.note(operation, answer)
                    }
                }
            }
            try await group.waitForAll()
        }
        let call = history.change { $0.begin(.read, by: 0) }
        let answer = try await bench.perform(.read, by: 0, on: account, cutAfter: nil)
        history.change { $0.end(call, answer) }
        return history.change { $0 }
    }

    /// The last client is the administrator too.
    private static func operation(
        _ client: Int, _ lease: inout HistoryBench.Lease, _ random: inout SplitMix
    ) -> GrantHistory.Operation {
        if !lease.hasAccount { return .ensure }
        if client == clients - 1, random.below(2) == 0 {
            return random.below(2) == 0 ? .setQuota(Int64(random.below(300))) : .tellAccount
        }
        guard let size = lease.size else {
            // The same return once more must not return twice.
            if let lost = lease.lostReturn, random.below(2) == 0 { return lost }
            return random.below(3) == 0 ? .ensure : .look
        }
        switch random.below(10) {
        case 0..<4:
            let least = Int64(random.below(60)) + 1
            return .grow(want: least + Int64(random.below(40)), least: least)
        case 4..<6: return .settle(Int64(random.below(20)) + 1)
        case 6: return .fold
        case 7: return .end
        case 8: return .ensure
        default: return .giveBack(Int64(random.below(40)) + 1, of: size)
        }
    }
}

private final class HistoryLog: Sendable {
    private let history = Mutex(GrantHistory())

    func change<Value: Sendable>(_ body: (inout GrantHistory) -> Value) -> Value {
        history.withLock { body(&$0) }
    }
}

/// Connections for clients that talk to one account after the other.
private final class HistoryBench: Sendable {
    static let quota: Int64 = 200

    /// What a client knows of its lease: nil after a lost answer, until it looks.
    struct Lease {
        var hasAccount = false
        var size: Int64? = 0
        var lostReturn: GrantHistory.Operation?

        mutating func note(_ operation: GrantHistory.Operation, _ answer: GrantHistory.Answer) {
            switch (operation, answer) {
            case (.ensure, .row), (.ensure, .none): hasAccount = true
            case (.settle, _), (.setQuota, _), (.tellAccount, _), (.read, _), (.ensure, _): break
            case (.giveBack, .lost): (size, lostReturn) = (nil, operation)
            case (.giveBack, .none) where size == nil: break
            case (_, .lost): (size, lostReturn) = (nil, nil)
            case (.end, .row), (.look, .none): size = 0
            case (_, .row(let numbers)): size = numbers.first
            case (_, .none): break
            }
        }
    }

    private let database: TestDatabase
    /// The accounts' rows, by subject: of two that make one, the ledger keeps the first.
    private let accounts = Mutex<[Int64: Int64]>([:])
    private let pools: [PostgresPool]
    private let lane = LaneKey(shard: OrganizationID.default.shard.rawValue, node: 1, epoch: 1)

    init(_ fixture: DirectoryFixture, clients: Int) throws {
        database = fixture.database
        var options = PostgresPoolOptions()
        options.connections = 1
        options.longestWait = .seconds(60)
        pools = try (0..<clients).map { _ in
            try PostgresPool(
                url: fixture.database.url, connectionOptions: PostgresConnectionOptions(),
                options: options, logger: .quiet)
        }
        _ = try fixture.store.connection.execute(LaneStatements.insert(lane, timeline: 1))
    }

    func shutdown() async { for pool in pools { await pool.shutdown() } }

    /// A quota without an account.
    func makeQuota(_ number: Int64) async throws -> AccountKey {
        let shard = lane.shard
        try await pools[0].run { connection throws(PostgresError) in
            _ = try connection.execute(
                PostgresCommand(
                    PostgresStatement(
                        name: nil,
                        sql: """
                            INSERT INTO quota (shard, organization_id, subject_kind, subject_id,
                                resource, period, limit_units)
                            VALUES ($1, 1, 2, $2, 1, 3, $3)
                            """), [.int2(shard), .int8(number), .int8(Self.quota)]))
        }
        return AccountKey(
            subject: Subject(kind: .team, id: number), resource: .tokens, period: .total,
            start: CalendarDay(rawValue: 0))
    }

    /// Carries out an operation with the ledger's own statements. With `patience`, the connection is
    /// closed when the answer is not there by then.
    func perform(
        _ operation: GrantHistory.Operation, by client: Int, on account: AccountKey,
        cutAfter patience: Duration?
    ) async throws -> GrantHistory.Answer {
        let command = command(operation, by: client, on: account)
        do {
            let result = try await pools[client].run { connection throws(PostgresError) in
                // What lost against others under a stricter isolation was not carried out.
                try Conflicts.repeating { () throws(PostgresError) in
                    try connection.execute(command, within: patience ?? .seconds(30))
                }
            }
            switch operation {
            case .ensure:
                guard let row = result.rows.first else { return .none }
                let id = try row.int8(0)
                accounts.withLock { $0[account.subject.id] = id }
                return .row([])
            case .setQuota, .tellAccount, .settle:
                return result.affectedRows > 0 ? .row([]) : .none
            case .grow, .fold, .giveBack, .look:
                guard let row = result.rows.first else { return .none }
                return .row([try row.int8(0), try row.int8(1)])
            case .end:
                guard let row = result.rows.first else { return .none }
                return .row([try row.int8(0)])
            case .read:
                guard let row = result.rows.first else { return .none }
                return .row(try (0..<4).map { try row.int8($0) })
            }
        } catch let error as PostgresError {
            guard patience != nil, error.isAmbiguous || error.isRetryable else { throw error }
            return .lost
        }
    }

    private func command(
        _ operation: GrantHistory.Operation, by client: Int, on account: AccountKey
    ) -> PostgresCommand {
        let id = AccountID(rawValue: accounts.withLock { $0[account.subject.id] } ?? 0)
        // One lease, and one candidate for the account's number, per client and account.
        let number = account.subject.id * 16 + Int64(client)
        let lease = LeaseID(rawValue: number)
        let owner = AllowanceStatements.Owner(
            OrganizationID.default.shard, .default, account.subject)
        return switch operation {
        case .ensure:
            GrowStatement.ensure(shard: lane.shard, account: account, candidate: number)
        case .grow(let want, let least):
            GrowStatement.grow(
                lane, account: id, lease: lease, want: want, least: least, rides: true)
        case .settle(let units):
            PostgresCommand(
                Self.settle, [.int2(lane.shard), .int8(lease.rawValue), .int8(units)])
        case .fold: ReturnStatement.fold(shard: lane.shard, account: id, lease: lease)
        case .giveBack(let units, let size):
            ReturnStatement.giveBack(lane, account: id, lease: lease, units: units, of: size)
        case .end: ReturnStatement.end(lane, account: id, lease: lease)
        case .look: ReturnStatement.read(shard: lane.shard, lease: lease)
        case .setQuota(let limit):
            AllowanceStatements.store(.setQuota(.tokens, .total, limit: limit), owner)
        case .tellAccount:
            AllowanceStatements.tellAccount(.setQuota(.tokens, .total, limit: 0), owner)
                ?? AllowanceStatements.time
        case .read: PostgresCommand(Self.read, [.int2(lane.shard), .int8(id.rawValue)])
        }
    }

    /// As S3 settles, without the records.
    private static let settle = PostgresStatement(
        name: nil,
        sql: """
            UPDATE lease SET settled = settled + $3 WHERE shard = $1 AND lease_id = $2
                AND granted - settled >= $3
            """)

    private static let read = PostgresStatement(
        name: nil,
        sql: """
            SELECT limit_units, cap, granted, used FROM account
            WHERE shard = $1 AND account_id = $2
            """, isReadOnly: true)
}
