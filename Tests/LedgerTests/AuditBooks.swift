import Domain
import Foundation
import Ledger
import Postgres
import TestSupport

/// Books of a week as a node would have written them: three quotas, four requests a day, one of
/// them swept and one void, a correction, and one request that is open now.
final class AuditBooks {
    let database: TestDatabase
    let store: DirectoryStore
    static let shard = OrganizationID.default.shard
    static let key = KeyID(shard: shard, random: 1)

    init() throws {
        database = try TestDatabase.make()
        store = try DirectoryStore(
            url: database.url, random: DirectoryFixture.random, author: .test)
        try run(Self.directory + Self.records(days: 6, each: 4) + Self.balances)
    }

    func run(_ script: String) throws {
        try store.connection.execute(script: script, within: .seconds(120))
    }

    /// The first column of the first row as a number.
    func number(_ sql: String) throws -> Int64? {
        try store.connection.execute(
            PostgresCommand(PostgresStatement(name: nil, sql: sql), [])
        ).rows.first?.optionalInt8(0)
    }

    /// The first column of the first row as text.
    func text(_ sql: String) throws -> String {
        try store.connection.execute(
            PostgresCommand(PostgresStatement(name: nil, sql: sql), [])
        ).rows[0].text(0)
    }

    func audit(_ depth: AuditDepth) throws -> AuditReport {
        try store.auditor.audit(nil, depth: depth)
    }

    /// The id of request `number` of the day so many days ago.
    func request(daysAgo: Int, _ number: Int) throws -> RequestID {
        let text = try text(
            """
            SELECT request_id::text FROM usage
            WHERE day = (now() AT TIME ZONE 'UTC')::date - \(daysAgo)
            ORDER BY request_id OFFSET \(number - 1) LIMIT 1
            """)
        return RequestID(text) ?? RequestID(rawValue: 0)
    }

    /// The UTC midnight with which the day so many days ago begins, by the database's clock.
    func midnight(daysAgo: Int32) throws -> Timestamp {
        let day = CalendarDay(
            rawValue: Int32(
                try number("SELECT ((now() AT TIME ZONE 'UTC')::date - date '1970-01-01')::int8")
                    ?? 0))
        return CalendarDay(rawValue: day.rawValue - daysAgo).start
    }

    private static let directory = """
        INSERT INTO team (shard, team_id, organization_id, name)
        VALUES (\(shard.rawValue), 11, 1, 'research');
        INSERT INTO api_key (shard, key_id, organization_id, team_id, subject_id, name, prefix,
            mac, pepper_id, last4)
        VALUES (\(shard.rawValue), \(key.databaseValue), 1, 11, 21, 'ci', 'sk-test',
            decode(repeat('ab', 32), 'hex'), 1, 'abcd');
        INSERT INTO model (shard, model_id, name) VALUES (\(shard.rawValue), 1, 'tiny');
        INSERT INTO backend (shard, backend_id, name) VALUES (\(shard.rawValue), 1, 'local');
        INSERT INTO price (shard, price_version, model_id, prompt_nanousd, cached_nanousd,
            cache_write_nanousd, completion_nanousd)
        VALUES (\(shard.rawValue), 5, 1, 2000000, 1000000, 3000000, 2000000);
        INSERT INTO quota_change (shard, organization_id, subject_kind, subject_id, resource, period,
            at, limit_units)
        VALUES (\(shard.rawValue), 1, 3, 21, 1, 3, now() - interval '30 days', 1000000000),
            (\(shard.rawValue), 1, 2, 11, 2, 3, now() - interval '30 days', 1000000000),
            (\(shard.rawValue), 1, 1, 1, 3, 3, now() - interval '30 days', 1000000000);
        INSERT INTO node_lane (shard, node_id, epoch, last_seq, batches, batches_before, opened,
            settled)
        VALUES (\(shard.rawValue), 7, '00000000-0000-4000-8000-000000000007', 12, 52, 40, 0, 0);
        INSERT INTO account (shard, account_id, organization_id, subject_kind, subject_id,
            resource, period, period_start, limit_units, cap)
        VALUES (\(shard.rawValue), 1, 1, 3, 21, 1, 3, '1970-01-01', 1000000000, 1000000000),
            (\(shard.rawValue), 2, 1, 2, 11, 2, 3, '1970-01-01', 1000000000, 1000000000),
            (\(shard.rawValue), 3, 1, 1, 1, 3, 3, '1970-01-01', 1000000000, 1000000000);

        """

    /// Usage records of `days` whole days and today, and the rollup, as S3 and the sweep write
    /// them.
    static func records(days: Int, each: Int) -> String {
        """
        SELECT make_usage_partitions((now() AT TIME ZONE 'UTC')::date - \(days), \(days));
        INSERT INTO usage (shard, day, request_id, key_id, model_id, backend_id, price_version,
            prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens, reasoning_tokens,
            charged, overage, cost_nanousd, basis, end_state, account_ids, charges, node_id,
            admitted_at, settled_at, first_token_us, duration_us)
        SELECT \(shard.rawValue), z.day,
            (lpad(to_hex((extract(epoch FROM z.at) * 1000)::int8), 12, '0') || '70008000'
                || lpad(to_hex(z.i), 12, '0'))::uuid,
            \(key.databaseValue), 1, 1, 5, z.prompt, 0, 0, z.completion, 0,
            z.prompt + z.completion, 0, 2 * (z.prompt + z.completion), z.basis,
            CASE z.basis WHEN 4 THEN 8 WHEN 5 THEN 5 ELSE 1 END, '{1,2,3}',
            ARRAY[z.prompt + z.completion, CASE WHEN z.basis = 5 THEN 0 ELSE 1 END,
                2 * (z.prompt + z.completion)], 7, z.at, z.at + interval '1 second',
            CASE WHEN z.basis IN (1, 2) THEN 1500 END, 1000000
        FROM (
            SELECT i, d.day::date AS day,
                (d.day + i * interval '23 hours' / \(each + 1)) AT TIME ZONE 'UTC' AS at,
                CASE WHEN i % 4 = 0 THEN 0 ELSE 10 * (i % 7) END::int8 AS prompt,
                CASE WHEN i % 4 = 0 THEN 0 ELSE 5 + i % 11 END::int8 AS completion,
                (ARRAY[5, 1, 2, 4])[i % 4 + 1]::int2 AS basis
            FROM generate_series((now() AT TIME ZONE 'UTC')::date - \(days),
                (now() AT TIME ZONE 'UTC')::date, interval '1 day') AS d(day),
                generate_series(1, \(each)) AS i) z;
        INSERT INTO usage_hour (shard, hour, key_id, model_id, node_id, requests, failed_requests,
            prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens, reasoning_tokens,
            charged, overage, cost_nanousd)
        SELECT shard, date_trunc('hour', admitted_at, 'UTC'), key_id, model_id, node_id,
            count(*) FILTER (WHERE basis <> 5), count(*) FILTER (WHERE basis = 5),
            sum(prompt_tokens), sum(cached_tokens), sum(cache_write_tokens),
            sum(completion_tokens), sum(reasoning_tokens), sum(charged), sum(overage),
            sum(cost_nanousd)
        FROM usage GROUP BY 1, 2, 3, 4, 5;

        """
    }

    /// A correction, an open request, and accounts and leases that follow from all of it: today's
    /// charges still stand in the leases, the others are folded.
    static let balances = """
        INSERT INTO usage_adj (shard, day, request_id, account_id, delta, reason, at)
        SELECT shard, day, request_id, 1, -5, 1, admitted_at + interval '1 hour'
        FROM usage WHERE basis = 4 AND day = (now() AT TIME ZONE 'UTC')::date - 3
        ORDER BY request_id LIMIT 1;
        INSERT INTO reservation (shard, request_id, node_id, epoch, key_id, model_id, backend_id,
            price_version, prompt_bound, completion_bound, cost_bound_nanousd, lease_ids,
            account_ids, units, admitted_at)
        VALUES (\(shard.rawValue),
            (lpad(to_hex((extract(epoch FROM now()) * 1000)::int8), 12, '0')
                || '7000a00000000000beef')::uuid,
            7, '00000000-0000-4000-8000-000000000007', \(key.databaseValue), 1, 1, 5, 60, 40, 500,
            '{101,102,103}', '{1,2,3}', '{100,1,500}', now());
        INSERT INTO lease (shard, lease_id, account_id, node_id, epoch, granted, reserved, settled)
        SELECT \(shard.rawValue), 100 + c.account_id, c.account_id, 7,
            '00000000-0000-4000-8000-000000000007', sum(c.charge) + r.units + 50, r.units,
            sum(c.charge)
        FROM usage u, unnest(u.account_ids, u.charges) AS c(account_id, charge),
            (VALUES (1, 100), (2, 1), (3, 500)) AS r(account_id, units)
        WHERE u.day = (now() AT TIME ZONE 'UTC')::date AND r.account_id = c.account_id
        GROUP BY c.account_id, r.units;
        UPDATE account a SET used = z.used, granted = z.used + l.granted
        FROM (
            SELECT x.account_id, sum(x.amount) AS used FROM (
                SELECT c.account_id, c.charge AS amount
                FROM usage u, unnest(u.account_ids, u.charges) AS c(account_id, charge)
                WHERE u.day < (now() AT TIME ZONE 'UTC')::date
                UNION ALL SELECT account_id, delta FROM usage_adj) x
            GROUP BY x.account_id) z, lease l
        WHERE z.account_id = a.account_id AND l.account_id = a.account_id;
        UPDATE node_lane n SET settled = (SELECT count(*) FROM usage),
            opened = (SELECT count(*) FROM usage) + (SELECT count(*) FROM reservation);

        """
}
