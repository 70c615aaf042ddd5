import Postgres

/// The rollup by hour of the requests that a statement settles.
enum RollupStatement {
    /// The sums of the rows of `c`, as `s`: a void request (basis 5) counts as failed, not as a
    /// request.
    static let sums = """
        s AS (
            SELECT date_trunc('hour', c.admitted_at, 'UTC') AS hour, c.key_id, c.model_id,
                count(*) FILTER (WHERE c.basis <> 5) AS requests,
                count(*) FILTER (WHERE c.basis = 5) AS failed, sum(c.prompt) AS prompt,
                sum(c.cached) AS cached, sum(c.cache_write) AS cache_write,
                sum(c.completion) AS completion, sum(c.reasoning) AS reasoning,
                sum(c.charged) AS charged, sum(c.overage) AS overage, sum(c.cost) AS cost
            FROM c GROUP BY 1, 2, 3)
        """

    /// Adds `s` to rows that are there, as `h`: for a node's closings. An upsert would lock each row
    /// before it updates it and log that, 54 bytes a request. The lists of hours and keys are for
    /// the primary key, as in the other statements.
    static let update = """
        h AS (
            UPDATE usage_hour t SET requests = t.requests + s.requests,
                failed_requests = t.failed_requests + s.failed,
                prompt_tokens = t.prompt_tokens + s.prompt,
                cached_tokens = t.cached_tokens + s.cached,
                cache_write_tokens = t.cache_write_tokens + s.cache_write,
                completion_tokens = t.completion_tokens + s.completion,
                reasoning_tokens = t.reasoning_tokens + s.reasoning,
                charged = t.charged + s.charged, overage = t.overage + s.overage,
                cost_nanousd = t.cost_nanousd + s.cost
            FROM s
            WHERE t.shard = $1 AND t.hour = ANY (ARRAY(SELECT s.hour FROM s))
                AND t.key_id = ANY (ARRAY(SELECT s.key_id FROM s)) AND t.node_id = $2
                AND t.hour = s.hour AND t.key_id = s.key_id AND t.model_id = s.model_id
            RETURNING 1)
        """

    /// Adds `s` to rows that may be there: for sweeps and late records, which are rare.
    static let upsert = """
        h AS (
            INSERT INTO usage_hour (shard, hour, key_id, model_id, node_id, requests,
                failed_requests, prompt_tokens, cached_tokens, cache_write_tokens,
                completion_tokens, reasoning_tokens, charged, overage, cost_nanousd)
            SELECT $1, s.hour, s.key_id, s.model_id, $2, s.requests, s.failed, s.prompt, s.cached,
                s.cache_write, s.completion, s.reasoning, s.charged, s.overage, s.cost
            FROM s
            ON CONFLICT (shard, hour, key_id, model_id, node_id) DO UPDATE SET
                requests = usage_hour.requests + EXCLUDED.requests,
                failed_requests = usage_hour.failed_requests + EXCLUDED.failed_requests,
                prompt_tokens = usage_hour.prompt_tokens + EXCLUDED.prompt_tokens,
                cached_tokens = usage_hour.cached_tokens + EXCLUDED.cached_tokens,
                cache_write_tokens = usage_hour.cache_write_tokens
                    + EXCLUDED.cache_write_tokens,
                completion_tokens = usage_hour.completion_tokens + EXCLUDED.completion_tokens,
                reasoning_tokens = usage_hour.reasoning_tokens + EXCLUDED.reasoning_tokens,
                charged = usage_hour.charged + EXCLUDED.charged,
                overage = usage_hour.overage + EXCLUDED.overage,
                cost_nanousd = usage_hour.cost_nanousd + EXCLUDED.cost_nanousd
            RETURNING 1)
        """

    // Before S3, in its transaction: makes the rollup's rows of the requests that it will close,
    // where they are missing, so that it finds each of them. A row that is there is neither locked
    // nor logged. Nothing is left empty: what S3 deletes it adds. It is sent only while the node
    // does not know the rows to be there, which is once an hour and key. Primary keys.
    private static let statement = PostgresStatement(
        name: "s3_hours",
        sql: """
            INSERT INTO usage_hour (shard, hour, key_id, model_id, node_id, requests,
                failed_requests, prompt_tokens, cached_tokens, cache_write_tokens,
                completion_tokens, reasoning_tokens, charged, overage, cost_nanousd)
            SELECT DISTINCT r.shard, date_trunc('hour', r.admitted_at, 'UTC'), r.key_id,
                r.model_id, r.node_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
            FROM reservation r
            WHERE r.shard = $1 AND r.request_id = ANY ($4) AND r.node_id = $2 AND r.epoch = $3
            ON CONFLICT (shard, hour, key_id, model_id, node_id) DO NOTHING
            """)

    /// Makes what ``update`` updates, of a lane's `requests` (uuids).
    static func prepare(_ lane: LaneKey, _ requests: PostgresValue) -> PostgresCommand {
        PostgresCommand(statement, lane.parameters + [requests])
    }
}
