import Domain
import Postgres
import TestSupport

@testable import Ledger

/// Books of two organizations in one shard, so that only the organization keeps them apart.
struct UsageBooks {
    let database: TestDatabase
    let store: DirectoryStore
    /// Not the default one, and in the default one's shard.
    static let neighbour: OrganizationID = {
        let shard = OrganizationID.default.shard
        return (2...100_000).lazy.map { OrganizationID(rawValue: $0) }
            .first { $0.shard == shard } ?? .default
    }()
    static let start = CalendarDay(year: 2026, month: 11, day: 20).start
    static let ci = KeyID(shard: OrganizationID.default.shard, random: 1)
    static let laptop = KeyID(shard: OrganizationID.default.shard, random: 2)
    static let theirs = KeyID(shard: OrganizationID.default.shard, random: 3)

    init() throws {
        database = try TestDatabase.make()
        store = try DirectoryStore(
            url: database.url, random: DirectoryFixture.random, author: .test)
        let shard = OrganizationID.default.shard.rawValue
        try store.connection.execute(
            script: """
                INSERT INTO organization (shard, organization_id, name)
                VALUES (\(shard), \(Self.neighbour.rawValue), 'neighbour');
                INSERT INTO team (shard, team_id, organization_id, name) VALUES
                    (\(shard), 11, 1, 'research'), (\(shard), 12, 1, 'sales'),
                    (\(shard), 13, \(Self.neighbour.rawValue), 'research');
                INSERT INTO model (shard, model_id, name) VALUES
                    (\(shard), 1, 'tiny'), (\(shard), 2, 'gpt-4o');
                """)
        try key(Self.ci, team: 11, of: .default, "ci")
        try key(Self.laptop, team: 12, of: .default, "laptop")
        try key(Self.theirs, team: 13, of: Self.neighbour, "theirs")
    }

    private func key(
        _ id: KeyID, team: Int64, of organization: OrganizationID, _ name: String
    ) throws {
        try store.connection.execute(
            script: """
                INSERT INTO api_key (shard, key_id, organization_id, team_id, subject_id, name,
                    prefix, mac, pepper_id, last4)
                VALUES (\(id.shard.rawValue), \(id.databaseValue), \(organization.rawValue),
                    \(team), \(team), '\(name)', 'sk-test', decode(repeat('ab', 32), 'hex'), 1,
                    'abcd');
                """)
    }

    /// Adds to the books; prompt tokens are `tokens`, every other number follows from them.
    func add(
        _ key: KeyID, hour: Int64, model: Int32 = 1, node: Int64 = 1, requests: Int64 = 1,
        tokens: Int64
    ) throws {
        let row: [PostgresValue] = [
            .int2(key.shard.rawValue),
            .timestamp((Self.start + .seconds(hour * 3600)).microseconds),
            .int8(key.databaseValue), .int4(model), .int8(node), .int8(requests),
            .int8(tokens),
        ]
        _ = try store.connection.execute(
            PostgresCommand(
                PostgresStatement(
                    name: nil,
                    sql: """
                        INSERT INTO usage_hour (shard, hour, key_id, model_id, node_id, requests,
                            failed_requests, prompt_tokens, cached_tokens, cache_write_tokens,
                            completion_tokens, reasoning_tokens, charged, overage, cost_nanousd)
                        VALUES ($1, $2, $3, $4, $5, $6, 1, $7, 2, 3, 4, 5, 6, 7, 8)
                        """), row))
    }

    /// Adds a record; a void one where the request came to nothing.
    func record(
        _ key: KeyID, hour: Int64, number: UInt64, state: EndState, tokens: Int64
    ) throws {
        let at = Self.start + .seconds(hour * 3600)
        try store.connection.execute(
            script: """
                INSERT INTO usage (shard, day, request_id, key_id, model_id, backend_id,
                    prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens,
                    reasoning_tokens, charged, basis, end_state, account_ids, charges, node_id,
                    admitted_at, settled_at, first_token_us, duration_us)
                VALUES (\(key.shard.rawValue), '\(at.day)',
                    '\(RequestID(at: at, random: (number, number)))', \(key.databaseValue), 1, 1,
                    \(tokens), 0, 0, 0, 0, \(tokens),
                    \(state == .failedBeforeFirstByte ? 5 : 1), \(state.rawValue), '{}', '{}', 1,
                    to_timestamp(\(at.seconds)), to_timestamp(\(at.seconds + 1)),
                    \(number * 1000), \(number * 2000));
                """)
    }

    /// The default organization as the directory knows it.
    func organization() throws -> Organization {
        guard let found = try store.organizations.find(name: "default") else {
            throw LedgerError.missing(what: "organization", name: "default")
        }
        return found
    }

    /// The running numbers of a quota of tokens in its current period, in the hands of one node.
    func account(
        kind: Int16, _ id: Int64, period: Int16, limit: Int64, settled: Int64, reserved: Int64
    ) throws {
        let shard = OrganizationID.default.shard.rawValue
        try store.connection.execute(
            script: """
                INSERT INTO account (shard, account_id, organization_id, subject_kind, subject_id,
                    resource, period, period_start, limit_units, cap, granted, used)
                SELECT \(shard), \(id * 100 + Int64(kind)), 1, \(kind), \(id), 1, p.period,
                    \(AllowanceStatements.periodStart), \(limit), \(limit * 2), \(limit * 2), 0
                FROM (SELECT \(period) AS period) p;
                INSERT INTO lease (shard, lease_id, account_id, node_id, epoch, granted, reserved,
                    settled)
                VALUES (\(shard), \(id * 100 + Int64(kind)), \(id * 100 + Int64(kind)), 1, gen_random_uuid(),
                    \(limit * 2), \(reserved), \(settled));
                """)
    }

    /// Adds hours of many other keys, as a busy shard has them, and lets the planner know.
    func crowd(keys: Int64, hours: Int64) throws {
        let shard = OrganizationID.default.shard.rawValue
        try store.connection.execute(
            script: """
                INSERT INTO usage_hour (shard, hour, key_id, model_id, node_id, requests,
                    failed_requests, prompt_tokens, cached_tokens, cache_write_tokens,
                    completion_tokens, reasoning_tokens, charged, overage, cost_nanousd)
                SELECT \(shard), to_timestamp(\(Self.start.seconds) + h * 3600), k, 1, 1, 1, 0, 1, 0,
                    0, 1, 0, 2, 0, 0
                FROM generate_series(0, \(hours) - 1) h, generate_series(1, \(keys)) k;
                ANALYZE usage_hour;
                """)
    }

    /// The pages that a command touches in a session as the gateway's own is.
    func buffers(_ command: PostgresCommand) throws -> Int64 {
        var options = PostgresConnectionOptions()
        options.settings = [
            ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off"),
        ]
        let connection = try PostgresConnection(url: database.url, options: options)
        defer { connection.close() }
        _ = try connection.execute(command)
        let explained = PostgresCommand(
            PostgresStatement(
                name: nil, sql: "EXPLAIN (ANALYZE, BUFFERS) " + command.statement.sql),
            command.parameters)
        let plan = try connection.execute(explained).rows.map { try $0.text(0) }
        let line = plan.first { $0.contains("Buffers: shared") } ?? ""
        return line.matches(of: #/(?:hit|read)=([0-9]+)/#).reduce(0) { $0 + (Int64($1.1) ?? 0) }
    }

    /// How many sessions of that name the database has.
    static func sessions(
        named name: String, _ connection: PostgresConnection
    ) throws -> Int64 {
        let command = PostgresCommand(
            PostgresStatement(
                name: nil,
                sql: """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = $1
                    """), [.text(name)])
        return try connection.execute(command).rows.first?.int8(0) ?? 0
    }

    func usage(
        _ grouping: UsageQuery.Grouping, of organization: OrganizationID = .default,
        team: TeamID? = nil, key: KeyID? = nil, since: Timestamp = Self.start,
        until: Timestamp? = nil
    ) throws -> [UsageRow] {
        try store.reports.usage(
            UsageQuery(
                organization: organization, team: team, key: key, since: since, until: until,
                grouping: grouping))
    }
}
