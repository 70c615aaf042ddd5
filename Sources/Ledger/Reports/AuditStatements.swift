import Postgres

/// The audit's questions about accounts, leases and open requests. Each answers with one row
/// for every row that differs: weight, rule, table, key, found, expected.
///
/// `$1` the shard, `$2` the first day whose records are read one by one, `$3` the most rows. They
/// run in one snapshot, so that what is moved between tables meanwhile is counted once.
enum AuditStatements {
    // Each account against its leases, open requests, records, seals and corrections, in three
    // passes over whole tables: no look-up for each account. Ids that have no account are findings
    // too, hence the full joins.
    static let accounts = PostgresStatement(
        name: nil,
        sql: """
            WITH l AS (
                SELECT account_id, sum(granted) AS granted, sum(settled) AS settled,
                    sum(reserved) AS reserved
                FROM lease WHERE shard = $1 GROUP BY account_id),
            r AS (
                SELECT c.account_id, sum(c.units) AS units
                FROM reservation r, unnest(r.account_ids, r.units) AS c(account_id, units)
                WHERE r.shard = $1 GROUP BY c.account_id),
            u AS (
                SELECT z.account_id, sum(z.amount) AS amount
                FROM (
                    SELECT c.account_id, sum(c.charge) AS amount
                    FROM usage u, unnest(u.account_ids, u.charges) AS c(account_id, charge)
                    WHERE u.shard = $1 AND u.day >= $2 GROUP BY c.account_id
                    UNION ALL
                    SELECT s.account_id, sum(s.charged)
                    FROM sealed_account s
                    JOIN sealed_day d ON d.shard = s.shard AND d.day = s.day
                    WHERE s.shard = $1 AND (d.dropped_at IS NOT NULL OR d.day < $2)
                    GROUP BY s.account_id
                    UNION ALL
                    SELECT account_id, sum(delta) FROM usage_adj WHERE shard = $1
                    GROUP BY account_id
                    UNION ALL
                    SELECT account_id, sum(delta_nanousd) FROM repriced_account_adj
                    WHERE shard = $1 GROUP BY account_id) z
                GROUP BY z.account_id),
            b AS (
                SELECT account_id, a.cap IS NULL AS is_missing, a.cap, a.limit_units, a.granted,
                    a.used, coalesce(l.granted, 0) AS leased, coalesce(l.settled, 0) AS settled,
                    coalesce(l.reserved, 0) AS reserved, coalesce(r.units, 0) AS open,
                    coalesce(u.amount, 0) AS booked
                FROM (SELECT account_id, cap, limit_units, granted, used FROM account
                    WHERE shard = $1) a
                FULL JOIN l USING (account_id) FULL JOIN r USING (account_id)
                FULL JOIN u USING (account_id))
            SELECT 'difference', c.rule, 'account', 'account_id=' || b.account_id, c.found,
                c.expected
            FROM b CROSS JOIN LATERAL (VALUES
                ('every account that is named exists', is_missing, 'no row',
                    concat('a row: leased ', leased, ', reserved ', open, ', booked ', booked)),
                ('granted = used + leases', granted <> used + leased,
                    'granted ' || granted, 'granted ' || used + leased),
                ('granted <= cap', granted > cap, 'granted ' || granted,
                    'granted at most ' || cap),
                ('limit <= cap', limit_units > cap, 'limit_units ' || limit_units,
                    'limit_units at most ' || cap),
                ('used + settled + reserved <= cap', used + settled + reserved > cap,
                    'in all ' || used + settled + reserved, 'in all at most ' || cap),
                ('used + settled = records + corrections', used + settled <> booked,
                    'used + settled ' || used + settled, 'used + settled ' || booked),
                ('reserved = open requests', reserved <> open, 'reserved ' || reserved,
                    'reserved ' || open)
            ) AS c(rule, differs, found, expected)
            WHERE c.differs ORDER BY b.account_id, c.rule LIMIT $3
            """, isReadOnly: true)

    // Each lease against the open requests that claim from it. $2 is not needed and bound to keep
    // the numbers alike.
    static let leases = PostgresStatement(
        name: nil,
        sql: """
            WITH r AS (
                SELECT c.lease_id, sum(c.units) AS units
                FROM reservation r, unnest(r.lease_ids, r.units) AS c(lease_id, units)
                WHERE r.shard = $1 AND $2::date IS NOT NULL GROUP BY c.lease_id)
            SELECT 'difference', c.rule, 'lease', 'lease_id=' || b.lease_id, c.found, c.expected
            FROM (
                SELECT lease_id, l.granted, l.reserved, l.settled, coalesce(r.units, 0) AS open
                FROM (SELECT lease_id, granted, reserved, settled FROM lease WHERE shard = $1) l
                FULL JOIN r USING (lease_id)) b
            CROSS JOIN LATERAL (VALUES
                ('every lease that is claimed from exists', b.granted IS NULL, 'no row',
                    'a row: reserved ' || b.open),
                ('reserved = open requests', b.reserved <> b.open, 'reserved ' || b.reserved,
                    'reserved ' || b.open),
                ('reserved + settled <= granted', b.reserved + b.settled > b.granted,
                    'reserved + settled ' || b.reserved + b.settled, 'at most ' || b.granted)
            ) AS c(rule, differs, found, expected)
            WHERE c.differs ORDER BY b.lease_id, c.rule LIMIT $3
            """, isReadOnly: true)

    // Each open request against its leases and its record, which must not exist yet. By primary
    // keys: open requests are few, and the day that a record would have is known.
    static let reservations = PostgresStatement(
        name: nil,
        sql: """
            SELECT 'difference', c.rule, 'reservation', 'request_id=' || r.request_id, c.found,
                c.expected
            FROM reservation r
            CROSS JOIN LATERAL (
                SELECT count(*) AS wrong
                FROM unnest(r.lease_ids, r.account_ids) AS x(lease_id, account_id)
                JOIN lease l ON l.shard = $1 AND l.lease_id = x.lease_id
                WHERE l.account_id <> x.account_id OR l.node_id <> r.node_id
                    OR l.epoch <> r.epoch) w
            CROSS JOIN LATERAL (
                SELECT min(u.day) AS day FROM usage u
                WHERE u.shard = $1 AND u.request_id = r.request_id
                    AND u.day BETWEEN (r.admitted_at AT TIME ZONE 'UTC')::date - 1
                        AND (r.admitted_at AT TIME ZONE 'UTC')::date + 1) s
            CROSS JOIN LATERAL (VALUES
                ('a request claims from its own node''s leases', w.wrong > 0,
                    w.wrong || ' leases of another account, node or epoch', 'none'),
                ('no request is both open and settled', s.day IS NOT NULL,
                    'also in usage, day ' || s.day, 'open or settled')
            ) AS c(rule, differs, found, expected)
            WHERE r.shard = $1 AND $2::date IS NOT NULL AND c.differs
            ORDER BY r.request_id, c.rule LIMIT $3
            """, isReadOnly: true)
}
