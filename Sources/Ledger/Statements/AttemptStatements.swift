import Domain
import Postgres

/// The calls that were made for requests, beside their closings: nothing at all in a batch whose
/// requests were all answered by the first call.
enum AttemptStatements {
    // Before S3: a request that another backend answered than the one it was admitted for says so
    // in its reservation, which S3 turns into its record. Rows of this lane alone, which S3 deletes
    // in the same transaction. Primary key.
    private static let move = PostgresStatement(
        name: "attempt_move",
        sql: """
            UPDATE reservation SET backend_id = x.backend
            FROM unnest($4::uuid[], $5::int4[]) AS x(rid, backend)
            WHERE reservation.shard = $1 AND reservation.request_id = ANY ($4)
                AND reservation.node_id = $2 AND reservation.epoch = $3
                AND reservation.request_id = x.rid
            """)

    // After S3 or D: what has a record by now gets its attempts, also one that was swept or settled
    // before, of which they are as true; repeating it changes nothing. A request that was never
    // accepted has no record, and gets none. Primary keys; the days name the partitions.
    private static let record = PostgresStatement(
        name: "attempt_record",
        sql: """
            INSERT INTO request_attempt (shard, day, request_id, number, backend_id, outcome,
                status, begun_after_us, duration_us, prompt_tokens, completion_tokens)
            SELECT $1, u.day, u.request_id, x.number, x.backend, x.outcome, x.status, x.begun,
                x.duration, x.prompt, x.completion
            FROM unnest($2::uuid[], $3::date[], $4::int2[], $5::int4[], $6::int2[], $7::int8[],
                    $8::int8[], $9::int8[], $10::int8[], $11::int8[])
                AS x(rid, day, number, backend, outcome, status, begun, duration, prompt,
                    completion)
            JOIN usage u ON u.shard = $1 AND u.day = ANY ($3) AND u.request_id = ANY ($2)
                AND u.day = x.day AND u.request_id = x.rid
            ON CONFLICT (shard, day, request_id, number) DO NOTHING
            """)

    /// What goes before the statement that closes: nothing in nearly every batch.
    static func before(_ lane: LaneKey, _ closings: [Closing]) -> [PostgresCommand] {
        moves(lane, closings) + ServedStatements.before(lane, closings)
    }

    private static func moves(_ lane: LaneKey, _ closings: [Closing]) -> [PostgresCommand] {
        let moved = closings.compactMap { closing in
            closing.settlement.movedTo.map { (closing.requestID, NameNumber.of($0)) }
        }
        if moved.isEmpty { return [] }
        return [
            PostgresCommand(
                move,
                lane.parameters + [.uuids(moved.map(\.0.rawValue)), .int4s(moved.map(\.1))])
        ]
    }

    /// What goes after the statement that closes: nothing in nearly every batch.
    static func after(_ lane: LaneKey, _ closings: [Closing]) -> [PostgresCommand] {
        after(
            shard: lane.shard,
            closings.map { ($0.requestID, $0.admittedAt.day, $0.settlement.attempts) })
            + ServedStatements.after(
                shard: lane.shard,
                closings.lazy.map { ($0.requestID, $0.admittedAt.day, $0.settlement.usage) })
    }

    /// What goes after the statement that records requests late: nothing in nearly every batch.
    static func after(shard: Int16, _ records: [LateRecord]) -> [PostgresCommand] {
        let known = records.map {
            ($0.opening.requestID, $0.opening.admittedAt.day, $0.settlement)
        }
        return after(shard: shard, known.lazy.map { ($0.0, $0.1, $0.2.attempts) })
            + ServedStatements.after(shard: shard, known.lazy.map { ($0.0, $0.1, $0.2.usage) })
            + UserStatements.afterRecording(shard: shard, records.lazy.map(\.opening))
    }

    private static func after(
        shard: Int16, _ requests: some Sequence<(RequestID, CalendarDay, [Attempt])>
    ) -> [PostgresCommand] {
        var ids: [UInt128] = []
        var days: [Int32] = []
        var numbers: [Int16] = []
        var attempts: [Attempt] = []
        for (id, day, made) in requests {
            for (number, attempt) in zip(1..., made) {
                ids.append(id.rawValue)
                days.append(day.rawValue)
                numbers.append(Int16(clamping: number))
                attempts.append(attempt)
            }
        }
        if attempts.isEmpty { return [] }
        return [
            PostgresCommand(
                record,
                [
                    .int2(shard), .uuids(ids), .dates(days), .int2s(numbers),
                    .int4s(attempts.map { NameNumber.of($0.backend) }),
                    .int2s(attempts.map(\.outcome.rawValue)),
                    .optionalInt8s(attempts.map { $0.status.map(Int64.init) }),
                    .int8s(attempts.map(\.begunAfter.microseconds)),
                    .int8s(attempts.map(\.duration.microseconds)),
                    .optionalInt8s(attempts.map(\.usage?.prompt)),
                    .optionalInt8s(attempts.map(\.usage?.completion)),
                ])
        ]
    }
}

extension Settlement {
    /// The backend that answered, where it is another than the first one tried.
    var movedTo: String? {
        guard let last = attempts.last, [.answered, .brokeOff].contains(last.outcome),
            last.backend != attempts.first?.backend
        else { return nil }
        return last.backend
    }
}
