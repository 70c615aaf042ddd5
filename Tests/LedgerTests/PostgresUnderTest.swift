import Domain
import Foundation
import Logging
import OpenSSL
import Postgres
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Ledger

/// A node of the real ledger over a database of its own.
final class PostgresUnderTest: LedgerUnderTest {
    let node: PostgresQuotaLedger
    let database: TestDatabase
    /// The test's own look at the database: off the threads that the node's tasks run on, and past
    /// any pooler, so that an outage of the node's sessions is none of the test's.
    private let pool: PostgresPool
    private let time = SystemTime()
    private let random: Mutex<SystemRandomNumberGenerator>

    private init(node: PostgresQuotaLedger, database: TestDatabase) throws {
        self.node = node
        self.database = database
        var options = PostgresPoolOptions()
        options.connections = 1
        options.longestWait = .seconds(60)
        var connections = PostgresConnectionOptions()
        connections.applicationName = TestDatabase.observer
        pool = try PostgresPool(
            url: database.directURL(), connectionOptions: connections, options: options,
            logger: .quiet)
        random = Mutex(SystemRandomNumberGenerator())
    }

    /// Runs `body` with a fresh database and one node, and stops the node as a SIGTERM would.
    static func run(_ body: (PostgresUnderTest) async throws -> Void) async throws {
        let database = try TestDatabase.make()
        try await run(on: database, body: body)
        withExtendedLifetime(database) {}
    }

    /// Runs `body` with one more node of an existing ledger.
    static func run(
        on database: TestDatabase, time: any TimeSource = SystemTime(),
        flush: @escaping JournalSync.Flush = JournalSync.dataSync,
        change: (inout LedgerSettings) -> Void = { _ in },
        body: (PostgresUnderTest) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("turnpike-node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await run(
            on: database, folder: folder.path, time: time, flush: flush, change: change,
            body: body)
    }

    /// Runs `body` with a node that lives in `folder`. When the node has drained, the books must
    /// have no difference, unless the test `spoils` them.
    static func run(
        on database: TestDatabase, folder: String, time: any TimeSource = SystemTime(),
        spoils: Bool = false,
        flush: @escaping JournalSync.Flush = JournalSync.dataSync,
        change: (inout LedgerSettings) -> Void = { _ in },
        body: (PostgresUnderTest) async throws -> Void
    ) async throws {
        var settings = LedgerSettings(
            databaseURL: database.url, dataDirectory: folder, models: ["demo"], backends: ["local"],
            prices: [:])
        // Tests share two cores: patience here is not a promise of the product.
        settings.acceptanceWait = .seconds(10)
        settings.heartbeat = .milliseconds(200)
        settings.usesPreparedStatements = TestDatabase.ownsSessions
        change(&settings)
        let random = LedgerRandom {
            var random = SystemRandomNumberGenerator()
            return random.next()
        }
        let node = PostgresQuotaLedger(
            settings,
            try LedgerParts(
                settings, time: time, random: random, logger: .quiet, flush: flush),
            random: random, logger: .quiet)
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: node)], logger: .quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let test = try PostgresUnderTest(node: node, database: database)
            do {
                try await body(test)
            } catch {
                await test.pool.shutdown()
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            if !spoils { #expect(try await test.differences() == []) }
            await test.pool.shutdown()
        }
    }

    /// What a complete audit finds wrong.
    func differences() async throws -> [AuditFinding] {
        let report = try await pool.run { connection throws(PostgresError) in
            Result { () throws(LedgerError) in
                try AuditStore(connection).audit(nil, depth: .complete)
            }
        }
        return try report.get().differences
    }

    var ledger: any QuotaLedger { node }

    func principal(
        quotas: [(Subject.Kind, Resource, Period, Int64)],
        rateLimits: [(RateLimit.Dimension, Int64)]
    ) async throws -> Principal {
        let id = random.withLock { Int64($0.next() >> 8) }
        let principal = TestPrincipal.make(id: id, quotas: quotas, rateLimits: rateLimits)
        try await pool.run { connection throws(PostgresError) in
            try Self.write(principal, connection)
        }
        return principal
    }

    func account(_ quota: Quota) -> AccountKey { quota.account(at: time.wall) }

    func used(_ account: AccountKey) async throws -> Int64 {
        let row = try await read(account, "a.used + coalesce(sum(l.settled), 0)::int8")
        return row ?? 0
    }

    func peak(_ account: AccountKey) async throws -> Int64 {
        // `granted` is the most that was held at once since the account's units were last returned.
        try await read(account, "max(a.granted)") ?? 0
    }

    func revoke(_ key: KeyID) async throws {
        try await execute(
            "UPDATE api_key SET revoked_at = now() WHERE shard = $1 AND key_id = $2",
            [.int2(key.shard.rawValue), .int8(key.databaseValue)])
    }

    /// Runs `body` on the test's own connection.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws -> Value { try await pool.run(body) }

    func execute(_ sql: String, _ parameters: [PostgresValue] = []) async throws {
        let command = PostgresCommand(PostgresStatement(name: nil, sql: sql), parameters)
        _ = try await pool.run { connection throws(PostgresError) in
            try connection.execute(command)
        }
    }

    /// The first column of the first row as a number.
    func number(_ sql: String, _ parameters: [PostgresValue] = []) async throws -> Int64? {
        let command = PostgresCommand(PostgresStatement(name: nil, sql: sql), parameters)
        return try await pool.run { connection throws(PostgresError) in
            try connection.execute(command).rows.first?.optionalInt8(0)
        }
    }

    /// Rows of whole numbers.
    func rows(_ sql: String) async throws -> [[Int64]] {
        let command = PostgresCommand(PostgresStatement(name: nil, sql: sql), [])
        return try await pool.run { connection throws(PostgresError) in
            try connection.execute(command).rows.map { row throws(PostgresError) in
                try (0..<row.count).map { column throws(PostgresError) in try row.int8(column) }
            }
        }
    }

    private func read(_ account: AccountKey, _ expression: String) async throws -> Int64? {
        try await number(
            """
            SELECT (\(expression))::int8 FROM account a
            LEFT JOIN lease l ON l.shard = a.shard AND l.account_id = a.account_id
            WHERE a.shard = $1 AND a.subject_kind = $2 AND a.subject_id = $3 AND a.resource = $4
                AND a.period = $5 AND a.period_start = $6
            GROUP BY a.shard, a.account_id
            """,
            [
                .int2(OrganizationID.default.shard.rawValue), .int2(account.subject.kind.rawValue),
                .int8(account.subject.id), .int2(account.resource.rawValue),
                .int2(account.period.rawValue), .date(account.start.rawValue),
            ])
    }

    private static func write(
        _ principal: Principal, _ connection: PostgresConnection
    ) throws(PostgresError) {
        let shard = PostgresValue.int2(principal.shard.rawValue)
        func run(_ sql: String, _ parameters: [PostgresValue]) throws(PostgresError) {
            _ = try connection.execute(
                PostgresCommand(PostgresStatement(name: nil, sql: sql), parameters))
        }
        try run(
            "INSERT INTO team (shard, team_id, organization_id, name) VALUES ($1, $2, 1, $3)",
            [shard, .int8(principal.team.rawValue), .text("team \(principal.team.rawValue)")])
        try run(
            """
            INSERT INTO api_key (shard, key_id, organization_id, team_id, subject_id, name, prefix,
                mac, pepper_id, last4)
            VALUES ($1, $2, 1, $3, $4, 'key', 'sk', decode(repeat('00', 32), 'hex'), 1, 'abcd')
            """,
            [
                shard, .int8(principal.key.databaseValue), .int8(principal.team.rawValue),
                .int8(principal.keySubject),
            ])
        for quota in principal.quotas {
            try run(
                """
                INSERT INTO quota (shard, organization_id, subject_kind, subject_id, resource,
                    period, limit_units, soft)
                VALUES ($1, 1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
                """,
                [
                    shard, .int2(quota.subject.kind.rawValue), .int8(quota.subject.id),
                    .int2(quota.resource.rawValue), .int2(quota.period.rawValue),
                    .int8(quota.limit), .bool(quota.isSoft),
                ])
        }
        for limit in principal.rateLimits {
            try run(
                """
                INSERT INTO rate_limit (shard, organization_id, subject_kind, subject_id, dimension,
                    limit_units)
                VALUES ($1, 1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
                """,
                [
                    shard, .int2(limit.subject.kind.rawValue), .int8(limit.subject.id),
                    .int2(limit.dimension.rawValue), .int8(limit.limit),
                ])
        }
    }
}

extension Logger {
    /// Writes nothing below errors.
    static var quiet: Logger {
        var logger = Logger(label: "test")
        logger.logLevel =
            ProcessInfo.processInfo.environment["TURNPIKE_TEST_LOG"] == nil ? .critical : .debug
        return logger
    }
}
