import Domain
import Postgres

/// The buckets of rate limits (GCRA in microseconds of the ledger's clock), and leasing cells of
/// them.
enum RateStatement {
    // The level that an order meets, in microseconds: what is used of the burst, after the order's
    // credit ($7 cells). What was used under another limit counts as so many units of the new one.
    // Cut to 0...burst: a clock of the ledger that was set back shuts nobody out for longer than a
    // minute.
    private static let level = """
        LEAST(GREATEST(
            ceil(LEAST(GREATEST(b.tat_us - n.t, 0), b.burst_us)::numeric
                * b.limit_units / n.limit_units)
            - trunc($7::int8::numeric * b.burst_us / n.limit_units), 0), b.burst_us)::int8
        """

    // The cells that pass at that level: as many as wanted ($5) if there are at least $6, or none.
    private static let grant = """
        CASE WHEN trunc((b.burst_us - \(level))::numeric * n.limit_units / b.burst_us) >= $6::int8
            THEN LEAST($5::int8,
                trunc((b.burst_us - \(level))::numeric * n.limit_units / b.burst_us)::int8)
            ELSE 0 END
        """

    // Credits, decides and debits in one guarded update of one row, by the limit as the directory
    // has it now; no row when the bucket is not there yet, or the limit is gone. Everything is
    // computed from the row as it is locked, so that nodes that meet here are served one after the
    // other. The clock is the statement's: after a wait for the lock it is a little old, which
    // grants less. Repeating it debits again: an answer that is lost leaves cells that nobody uses.
    // Primary keys. Orders of one transaction come sorted by key, so that two nodes cannot wait for
    // each other.
    private static let lease = PostgresStatement(
        name: "rate_lease",
        sql: """
            UPDATE rate_bucket b SET limit_units = n.limit_units, last_grant = \(grant),
                tat_us = n.t + \(level)
                    + ceil((\(grant))::numeric * b.burst_us / n.limit_units)::int8
            FROM (SELECT r.limit_units,
                    (extract(epoch FROM statement_timestamp()) * 1000000)::int8 AS t
                FROM rate_limit r
                WHERE r.shard = $1 AND r.subject_kind = $2 AND r.subject_id = $3
                    AND r.dimension = $4) n
            WHERE b.shard = $1 AND b.subject_kind = $2 AND b.subject_id = $3 AND b.dimension = $4
            RETURNING b.last_grant, b.limit_units, b.tat_us - n.t
            """)

    // Makes the bucket of a limit, with nothing used. Of two nodes that try, one inserts. Selected
    // from the limit's row: there is a bucket only for a limit that exists. Primary keys.
    private static let ensure = PostgresStatement(
        name: "rate_ensure",
        sql: """
            INSERT INTO rate_bucket (shard, subject_kind, subject_id, dimension, limit_units,
                burst_us)
            SELECT r.shard, r.subject_kind, r.subject_id, r.dimension, r.limit_units, $5
            FROM rate_limit r
            WHERE r.shard = $1 AND r.subject_kind = $2 AND r.subject_id = $3 AND r.dimension = $4
            ON CONFLICT (shard, subject_kind, subject_id, dimension) DO NOTHING
            """)

    // Each guard is evaluated on the row as it is locked, so that the database's default, should it
    // be stricter, would only add conflicts.
    private static let begin = PostgresStatement(
        name: nil, sql: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    // What a crash of the ledger forgets of the last moments is granted once more, at most; waiting
    // for its disk would make every node queue behind every other at a shared bucket.
    private static let loosely = PostgresStatement(
        name: nil, sql: "SET LOCAL synchronous_commit = off")
    private static let commit = PostgresStatement(name: nil, sql: "COMMIT")

    /// One transaction, to be sent as one pipeline, that carries out `orders`, sorted by
    /// ``precedes(_:_:)``. Where `makesBuckets`, their buckets are made first.
    static func transaction(
        _ orders: [RateOrder], shard: Int16, makesBuckets: Bool
    ) -> [PostgresCommand] {
        var commands = [PostgresCommand(begin, []), PostgresCommand(loosely, [])]
        for order in orders {
            let key: [PostgresValue] = [
                .int2(shard), .int2(order.bucket.subject.kind.rawValue),
                .int8(order.bucket.subject.id), .int2(order.bucket.dimension.rawValue),
            ]
            if makesBuckets {
                let burst = PostgresValue.int8(GCRA.burst.microseconds)
                commands.append(PostgresCommand(ensure, key + [burst]))
            }
            commands.append(
                PostgresCommand(
                    lease, key + [.int8(order.want), .int8(order.least), .int8(order.credit)]))
        }
        commands.append(PostgresCommand(commit, []))
        return commands
    }

    /// The replies to the orders of a ``transaction(_:shard:makesBuckets:)`` that was begun at
    /// `asked`, in their order; nil where there is no bucket.
    static func replies(
        in results: [PostgresResult], asked: Uptime, madeBuckets: Bool
    ) throws(PostgresError) -> [RateReply?] {
        var replies: [RateReply?] = []
        let step = madeBuckets ? 2 : 1
        for index in stride(from: 1 + step, to: results.count - 1, by: step) {
            guard let row = results[index].rows.first else {
                replies.append(nil)
                continue
            }
            replies.append(
                .answered(
                    granted: try row.int8(0), limit: try row.int8(1),
                    level: .microseconds(try row.int8(2)), asked: asked))
        }
        return replies
    }

    /// The order in which rows are locked: that of the primary key.
    static func precedes(_ left: RateOrder, _ right: RateOrder) -> Bool {
        let (left, right) = (left.bucket, right.bucket)
        return (left.subject.kind.rawValue, left.subject.id, left.dimension.rawValue)
            < (right.subject.kind.rawValue, right.subject.id, right.dimension.rawValue)
    }
}
