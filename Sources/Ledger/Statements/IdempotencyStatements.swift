import Domain
import Postgres

/// Claims on clients' `Idempotency-Key`s. Each statement is its own transaction and changes one row.
enum IdempotencyStatements {
    /// How long a claim lasts, as SQL says it. Shorter than retention ever is, so that the usage
    /// records of claims are there.
    private static let lifetime = "interval '24 hours'"

    // The record of the first request: its day is that of its claim, give or take one, and is
    // looked up by the whole primary key of three partitions.
    private static let record = """
        FROM usage u
        WHERE u.shard = $1 AND u.request_id = idempotent_request.request_id
            AND u.day = ANY (ARRAY[(idempotent_request.claimed_at AT TIME ZONE 'UTC')::date - 1,
                (idempotent_request.claimed_at AT TIME ZONE 'UTC')::date,
                (idempotent_request.claimed_at AT TIME ZONE 'UTC')::date + 1])
        """

    // The claim. Of many at once one inserts; the others wait for its commit and then look at its
    // row as it is. They take it over when it is too old, or its request is not open and was charged
    // nothing: it has a void record (basis 5), or was never confirmed and the life of its node is
    // over, so that the ledger will not accept it any more. One that is taken over by mistake, since
    // the other tables are seen as they were when the statement began, is not confirmed afterwards;
    // see `confirm`. No lane, no row: a node that is fenced claims nothing. Repeating it for the same
    // request changes nothing. Primary keys.
    private static let claim = PostgresStatement(
        name: "idempotency_claim",
        sql: """
            INSERT INTO idempotent_request (shard, key_id, name_digest, fingerprint, request_id,
                node_id, epoch)
            SELECT n.shard, $2, $3, $4, $5, n.node_id, n.epoch FROM node_lane n
            WHERE n.shard = $1 AND n.node_id = $6 AND n.live
            ON CONFLICT (shard, key_id, name_digest) DO UPDATE SET
                fingerprint = EXCLUDED.fingerprint, request_id = EXCLUDED.request_id,
                node_id = EXCLUDED.node_id, epoch = EXCLUDED.epoch,
                is_accepted = false, claimed_at = now()
            WHERE idempotent_request.request_id = EXCLUDED.request_id
                OR idempotent_request.claimed_at < now() - \(lifetime)
                OR NOT EXISTS (SELECT 1 FROM reservation r WHERE r.shard = $1
                        AND r.request_id = idempotent_request.request_id)
                    AND coalesce((SELECT max(u.basis) \(record)),
                        CASE WHEN NOT idempotent_request.is_accepted
                            AND NOT EXISTS (SELECT 1 FROM node_lane k WHERE k.shard = $1
                                AND k.node_id = idempotent_request.node_id
                                AND k.epoch = idempotent_request.epoch AND k.live)
                        THEN 5 ELSE 0 END) = 5
            RETURNING claimed_at
            """)

    // Whose claim it is and what became of that request; the record only when it was charged, and
    // its answer only when $5 asks for it. Primary keys.
    private static let look = PostgresStatement(
        name: "idempotency_look",
        sql: """
            SELECT idempotent_request.fingerprint = $4, idempotent_request.request_id,
                c.prompt_tokens, c.cached_tokens, c.cache_write_tokens, c.completion_tokens,
                c.reasoning_tokens, c.end_state, a.content_type, a.body
            FROM idempotent_request
            LEFT JOIN LATERAL (
                SELECT u.prompt_tokens, u.cached_tokens, u.cache_write_tokens,
                    u.completion_tokens, u.reasoning_tokens, u.end_state
                \(record) AND u.basis <> 5) c ON true
            LEFT JOIN idempotent_answer a ON a.shard = $1 AND $5
                AND a.request_id = idempotent_request.request_id
            WHERE idempotent_request.shard = $1 AND idempotent_request.key_id = $2
                AND idempotent_request.name_digest = $3
            """, isReadOnly: true)

    // Says that the request will be charged. The guard stands in the row that a take-over changes, so
    // that of the two one comes first: either it finds this request no more, or the take-over finds
    // it accepted. Only with a reservation in the ledger: a request that is let in on a lease while
    // the ledger is away could be lost to its books until the node is heard. Primary keys.
    private static let confirm = PostgresStatement(
        name: "idempotency_confirm",
        sql: """
            UPDATE idempotent_request SET is_accepted = true
            WHERE shard = $1 AND key_id = $2 AND name_digest = $3 AND request_id = $4
                AND EXISTS (SELECT 1 FROM reservation r WHERE r.shard = $1 AND r.request_id = $4)
            RETURNING 1
            """)

    // Gives a claim back, if it is still this request's. Primary key.
    private static let release = PostgresStatement(
        name: "idempotency_release",
        sql: """
            DELETE FROM idempotent_request
            WHERE shard = $1 AND key_id = $2 AND name_digest = $3 AND request_id = $4
            """)

    // Keeps an answer; a second time changes nothing. Primary key.
    private static let keep = PostgresStatement(
        name: "idempotency_keep",
        sql: """
            INSERT INTO idempotent_answer (shard, request_id, content_type, body)
            VALUES ($1, $2, $3, $4) ON CONFLICT (shard, request_id) DO NOTHING
            """)

    // Takes away up to $2 claims whose time is over, the oldest first. All nodes do, and lock the
    // rows in one order, so that they queue rather than wait in a circle. Index by age.
    private static let forgetClaims = PostgresStatement(
        name: "idempotency_forget_claims",
        sql: """
            WITH due AS (
                SELECT i.key_id, i.name_digest FROM idempotent_request i
                WHERE i.shard = $1 AND i.claimed_at < now() - \(lifetime)
                ORDER BY i.claimed_at, i.key_id, i.name_digest LIMIT $2 FOR UPDATE)
            DELETE FROM idempotent_request d USING due
            WHERE d.shard = $1 AND d.key_id = due.key_id AND d.name_digest = due.name_digest
            """)

    // The same for answers. Index by age.
    private static let forgetAnswers = PostgresStatement(
        name: "idempotency_forget_answers",
        sql: """
            WITH due AS (
                SELECT a.request_id FROM idempotent_answer a
                WHERE a.shard = $1 AND a.stored_at < now() - \(lifetime)
                ORDER BY a.stored_at, a.request_id LIMIT $2 FOR UPDATE)
            DELETE FROM idempotent_answer d USING due
            WHERE d.shard = $1 AND d.request_id = due.request_id
            """)

    static func claim(_ claim: IdempotencyClaim, node: Int64) -> PostgresCommand {
        PostgresCommand(
            self.claim,
            place(of: claim) + [
                .bytes(claim.fingerprint), .uuid(claim.requestID.rawValue), .int8(node),
            ])
    }

    static func look(_ claim: IdempotencyClaim, withAnswer: Bool) -> PostgresCommand {
        PostgresCommand(
            look, place(of: claim) + [.bytes(claim.fingerprint), .bool(withAnswer)])
    }

    static func confirm(_ claim: IdempotencyClaim) -> PostgresCommand {
        PostgresCommand(confirm, place(of: claim) + [.uuid(claim.requestID.rawValue)])
    }

    static func release(_ claim: IdempotencyClaim) -> PostgresCommand {
        PostgresCommand(release, place(of: claim) + [.uuid(claim.requestID.rawValue)])
    }

    static func keep(_ answer: StoredAnswer, of claim: IdempotencyClaim) -> PostgresCommand {
        PostgresCommand(
            keep,
            [
                .int2(claim.shard.rawValue), .uuid(claim.requestID.rawValue),
                .text(answer.contentType), .bytes(answer.body),
            ])
    }

    static func forget(shard: Int16, most: Int64) -> [PostgresCommand] {
        [forgetClaims, forgetAnswers].map {
            PostgresCommand($0, [.int2(shard), .int8(most)])
        }
    }

    /// What a row of `look` says to a retry.
    static func verdict(_ row: PostgresRow) throws(PostgresError) -> IdempotencyVerdict {
        guard try row.bool(0) else { return .otherRequest }
        let first = RequestID(rawValue: try row.uuid(1))
        guard let prompt = try row.optionalInt8(2) else { return .inProgress(first: first) }
        guard let endState = EndState(rawValue: try row.int2(7)) else {
            throw PostgresError(kind: .decoding(reason: "a record has an unknown end state"))
        }
        var answer: StoredAnswer?
        if let contentType = try row.optionalText(8) {
            answer = StoredAnswer(contentType: contentType, body: try row.bytes(9))
        }
        return .ended(
            IdempotentEnd(
                requestID: first,
                usage: TokenUsage(
                    prompt: prompt, cached: try row.int8(3), cacheWrite: try row.int8(4),
                    completion: try row.int8(5), reasoning: try row.int8(6)),
                endState: endState, answer: answer))
    }

    private static func place(of claim: IdempotencyClaim) -> [PostgresValue] {
        [
            .int2(claim.shard.rawValue), .int8(claim.key.databaseValue), .bytes(claim.nameDigest),
        ]
    }
}
