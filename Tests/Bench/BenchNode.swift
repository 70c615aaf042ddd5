import Domain
import Foundation
import Ledger
import Logging
import Postgres
import ServiceLifecycle
import TestSupport

/// A running node of the real ledger, on a folder of its own.
struct BenchNode {
    let ledger: PostgresQuotaLedger

    /// Runs `body` with `count` nodes of one ledger and stops them as a SIGTERM would.
    static func run(
        _ count: Int, on books: BenchBooks, change: (inout LedgerSettings) -> Void = { _ in },
        body: ([BenchNode]) async throws -> Void
    ) async throws {
        let root = FileManager.default.temporaryDirectory
            .appendingPathComponent("ledger-bench-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        var nodes: [BenchNode] = []
        for number in 0..<count {
            let folder = root.appendingPathComponent("\(number)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            var settings = LedgerSettings(
                databaseURL: books.database.url, dataDirectory: folder.path, models: ["demo"],
                backends: ["local"], prices: [:])
            // A closed loop waits for the ledger; what is measured is how fast it goes.
            settings.acceptanceWait = .seconds(30)
            settings.settlementWait = .seconds(30)
            change(&settings)
            nodes.append(
                BenchNode(
                    ledger: try PostgresQuotaLedger(
                        settings, time: SystemTime(),
                        random: LedgerRandom { UInt64.random(in: 0 ... .max) }, logger: .quiet)))
        }
        let group = ServiceGroup(
            configuration: .init(
                services: nodes.map { .init(service: $0.ledger) }, logger: .quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body(nodes)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}

extension Logger {
    /// Writes errors only.
    static var quiet: Logger {
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        return logger
    }
}

/// A migrated database with an organization of 100 teams of ten keys each, with quotas at all three
/// levels that nobody can exhaust.
final class BenchBooks: Sendable {
    let database: TestDatabase
    let principals: [Principal]

    static let keys = 1000
    static let teams = 100
    private static let limit: Int64 = 1 << 50

    init() throws {
        database = try TestDatabase.make()
        let shard = OrganizationID.default.shard
        principals = (0..<Self.keys).map { number in
            let team = TeamID(rawValue: Int64(1_000_001 + number % Self.teams))
            let subject = Int64(2_000_001 + number)
            func quota(_ kind: Subject.Kind, _ id: Int64, _ period: Period) -> Quota {
                Quota(
                    subject: Subject(kind: kind, id: id), resource: .tokens, period: period,
                    limit: Self.limit)
            }
            let key = KeyID(shard: shard, random: UInt64(number + 1) &* 0x9E37_79B9_7F4A_7C15)
            return Principal(
                shard: shard, organization: .default, team: team, key: key, keySubject: subject,
                allowedModels: nil, defaultCompletionTokens: nil, alwaysShowsUsage: false,
                quotas: [
                    quota(.key, subject, .day), quota(.team, team.rawValue, .month),
                    quota(.organization, OrganizationID.default.rawValue, .total),
                ],
                rateLimits: [
                    RateLimit(
                        subject: Subject(kind: .key, id: subject), dimension: .requestsPerMinute,
                        limit: 1 << 30),
                    RateLimit(
                        subject: Subject(kind: .team, id: team.rawValue),
                        dimension: .tokensPerMinute, limit: 1 << 36),
                ])
        }
        let connection = try database.connection()
        defer { connection.close() }
        try write(connection)
    }

    private func write(_ connection: PostgresConnection) throws {
        let shard = OrganizationID.default.shard.rawValue
        try connection.execute(
            script: """
                INSERT INTO team (shard, team_id, organization_id, name)
                SELECT \(shard), 1000001 + n, 1, 'team ' || n
                FROM generate_series(0, \(Self.teams - 1)) n
                """)
        let command = PostgresCommand(
            PostgresStatement(
                name: nil,
                sql: """
                    INSERT INTO api_key (shard, key_id, organization_id, team_id, subject_id, name,
                        prefix, mac, pepper_id, last4)
                    SELECT \(shard), k, 1, t, s, 'key', 'sk', decode(repeat('00', 32), 'hex'), 1,
                        'abcd'
                    FROM unnest($1::int8[], $2::int8[], $3::int8[]) AS x(k, t, s)
                    """),
            [
                .int8s(principals.map(\.key.databaseValue)),
                .int8s(principals.map(\.team.rawValue)), .int8s(principals.map(\.keySubject)),
            ])
        _ = try connection.execute(command)
        try connection.execute(
            script: """
                INSERT INTO quota (shard, organization_id, subject_kind, subject_id, resource,
                    period, limit_units)
                SELECT \(shard), 1, 3, subject_id, 1, 1, \(Self.limit) FROM api_key
                UNION ALL SELECT \(shard), 1, 2, team_id, 1, 2, \(Self.limit) FROM team
                UNION ALL SELECT \(shard), 1, 1, 1, 1, 3, \(Self.limit);
                ANALYZE;
                CHECKPOINT
                """)
    }

    /// A request of 100 tokens in and 100 out at most, of which ``usage`` is what it uses.
    func request(_ principal: Principal) -> AdmissionRequest {
        AdmissionRequest(
            requestID: RequestID(
                at: SystemTime().wall,
                random: (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max))),
            principal: principal, bound: TokenBound(prompt: 100, completion: 100), model: "demo",
            backend: "local", price: nil)
    }

    static let settlement = Settlement(
        usage: TokenUsage(prompt: 100, cached: 0, completion: 50), basis: .reported,
        endState: .finished, timeToFirstToken: .milliseconds(20), duration: .milliseconds(500))
}
