import Postgres

/// The audit's questions about lanes; parameters and answers as in ``AuditStatements``.
enum AuditLaneStatements {
    // Open requests and leases by the life of the node that they belong to. One of a fenced life
    // waits for the sweep, or for its node's journal when the sweep has kept it; one of a node that
    // has no lane belongs to nobody, and no sweep would ever find it.
    static let openings = PostgresStatement(
        name: nil,
        sql: """
            WITH x AS (
                SELECT 'reservation' AS name, node_id, epoch, 'request_id=' || request_id AS row,
                    false AS is_kept
                FROM reservation WHERE shard = $1
                UNION ALL
                SELECT 'lease', node_id, epoch, 'lease_id=' || lease_id,
                    rides AND reserved = 0 AND settled = 0
                FROM lease WHERE shard = $1)
            SELECT 'difference', 'everything open belongs to a lane', x.name, x.row,
                'no lane of node ' || x.node_id, 'a lane of node ' || x.node_id
            FROM x LEFT JOIN node_lane n ON n.shard = $1 AND n.node_id = x.node_id
            WHERE n.node_id IS NULL
            UNION ALL
            SELECT 'warning', 'everything open belongs to a live lane', 'node_lane',
                'node_id=' || x.node_id,
                count(*) FILTER (WHERE x.name = 'reservation') || ' open requests, '
                    || count(*) FILTER (WHERE x.name = 'lease') || ' leases of epoch ' || x.epoch,
                'none: they wait for the sweep'
            FROM x JOIN node_lane n ON n.shard = $1 AND n.node_id = x.node_id
            WHERE (NOT n.live OR n.epoch <> x.epoch) AND NOT (x.is_kept AND NOT n.live)
            GROUP BY x.node_id, x.epoch
            UNION ALL
            SELECT 'warning', 'everything open belongs to a live lane', 'node_lane',
                'node_id=' || x.node_id, count(*) || ' leases kept for the node''s journal',
                'none: they end when node ' || x.node_id || ' returns on its disk; if that is lost,'
                    || ' `turnpike admin node write-off ' || x.node_id || '` gives them back'
            FROM x JOIN node_lane n ON n.shard = $1 AND n.node_id = x.node_id
            WHERE x.is_kept AND NOT n.live GROUP BY x.node_id
            UNION ALL
            SELECT 'difference', 'last_seq >= 0', 'node_lane', 'node_id=' || n.node_id,
                'last_seq ' || n.last_seq, 'at least 0'
            FROM node_lane n WHERE n.shard = $1 AND n.last_seq < 0
            ORDER BY 1, 3, 4 LIMIT CASE WHEN $2::date IS NOT NULL THEN $3::int8 END
            """, isReadOnly: true)

    // Each lane's counts against the rows that it should have left, over all lives of its node. S1
    // counts what a batch brings, in a row of its own, so that a batch whose rows are missing is
    // seen whatever else was made to fit; and it counts batches, which are as many as the numbers
    // that were given to them, or a number was skipped. One pass over the records from $2 on; seals
    // stand for those before.
    static let counts = PostgresStatement(
        name: nil,
        sql: """
            WITH u AS (
                SELECT z.node_id, sum(z.records) AS records FROM (
                    SELECT node_id, count(*) AS records
                    FROM usage WHERE shard = $1 AND day >= $2 GROUP BY node_id
                    UNION ALL
                    SELECT s.node_id, sum(s.records)
                    FROM sealed_node s
                    JOIN sealed_day d ON d.shard = s.shard AND d.day = s.day
                    WHERE s.shard = $1 AND (d.dropped_at IS NOT NULL OR d.day < $2)
                    GROUP BY s.node_id) z
                GROUP BY z.node_id),
            r AS (
                SELECT node_id, count(*) AS open FROM reservation WHERE shard = $1
                GROUP BY node_id),
            b AS (
                SELECT node_id, n.epoch IS NULL AS is_missing, n.last_seq, n.batches,
                    n.batches_before, n.opened, n.settled, coalesce(r.open, 0) AS open,
                    coalesce(u.records, 0) AS records
                FROM (SELECT node_id, epoch, last_seq, batches, batches_before, opened, settled
                    FROM node_lane WHERE shard = $1) n
                FULL JOIN u USING (node_id) FULL JOIN r USING (node_id))
            SELECT c.weight, c.rule, 'node_lane', 'node_id=' || b.node_id, c.found, c.expected
            FROM b CROSS JOIN LATERAL (VALUES
                ('difference', 'every record belongs to a lane', b.is_missing AND records > 0,
                    'no lane', concat('a lane with ', records, ' records')),
                ('difference', 'no batch of a lane is missing',
                    batches <> batches_before + last_seq, 'batches ' || batches,
                    concat('batches ', batches_before, ' + ', last_seq)),
                ('difference', 'opened = open requests + records', opened <> open + records,
                    'opened ' || opened, concat('opened ', open, ' + ', records)),
                ('difference', 'settled = records', settled <> records, 'settled ' || settled,
                    'settled ' || records),
                ('warning', 'every lane is counted', NOT is_missing
                    AND (batches IS NULL OR batches_before IS NULL OR opened IS NULL
                        OR settled IS NULL),
                    'opened by a program that does not count',
                    'its node restarted with this program')
            ) AS c(weight, rule, differs, found, expected)
            WHERE c.differs ORDER BY b.node_id, c.rule LIMIT $3
            """, isReadOnly: true)
}
