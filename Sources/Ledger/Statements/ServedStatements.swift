import Domain
import Postgres

/// How requests were served where that is not how they were admitted, beside their closings: nothing
/// at all in a batch without such a request.
enum ServedStatements {
    // Before S3: a request that was charged by another price version than the one it was admitted at
    // says so in its reservation, which S3 turns into its record. Rows of this lane alone, which S3
    // deletes in the same transaction. Primary key.
    private static let reprice = PostgresStatement(
        name: "served_price",
        sql: """
            UPDATE reservation SET price_version = x.version
            FROM unnest($4::uuid[], $5::int8[]) AS x(rid, version)
            WHERE reservation.shard = $1 AND reservation.request_id = ANY ($4)
                AND reservation.node_id = $2 AND reservation.epoch = $3
                AND reservation.request_id = x.rid
            """)

    // After S3 or D: the tokens of sound of what has a record by now, beside the record, whose rows
    // are no longer for it. Only of one that was counted so: a swept one was charged at its bound,
    // whatever was spoken. Repeating it changes nothing. Primary keys; the days name the partitions.
    private static let sound = PostgresStatement(
        name: "served_audio",
        sql: """
            INSERT INTO usage_audio (shard, day, request_id, prompt_tokens, completion_tokens)
            SELECT $1, u.day, u.request_id, x.prompt, x.completion
            FROM unnest($2::uuid[], $3::date[], $4::int8[], $5::int8[])
                AS x(rid, day, prompt, completion)
            JOIN usage u ON u.shard = $1 AND u.day = ANY ($3) AND u.request_id = ANY ($2)
                AND u.day = x.day AND u.request_id = x.rid
            WHERE u.basis <> 4
            ON CONFLICT (shard, day, request_id) DO NOTHING
            """)

    /// What goes before the statement that closes: at most one command.
    static func before(_ lane: LaneKey, _ closings: [Closing]) -> [PostgresCommand] {
        let served = closings.compactMap { closing in
            closing.charge.servedVersion.map { (closing.requestID, $0) }
        }
        if served.isEmpty { return [] }
        return [
            PostgresCommand(
                reprice,
                lane.parameters + [.uuids(served.map(\.0.rawValue)), .int8s(served.map(\.1))])
        ]
    }

    /// What goes after the statement that closes or records late: at most one command.
    static func after(
        shard: Int16, _ requests: some Sequence<(RequestID, CalendarDay, TokenUsage)>
    ) -> [PostgresCommand] {
        let spoken = requests.filter { $0.2.hasAudio }
        if spoken.isEmpty { return [] }
        return [
            PostgresCommand(
                sound,
                [
                    .int2(shard), .uuids(spoken.map(\.0.rawValue)),
                    .dates(spoken.map(\.1.rawValue)),
                    .int8s(spoken.map(\.2.audioPrompt)), .int8s(spoken.map(\.2.audioCompletion)),
                ])
        ]
    }
}
