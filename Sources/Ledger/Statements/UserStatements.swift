import Domain
import Postgres

/// For which users of their own clients asked, beside their requests: nothing at all in a batch
/// where nobody says so.
///
/// Written with the opening and not with the closing, so that a request whose node dies has it too,
/// although a sweep knows nothing of it but its reservation.
enum UserStatements {
    // After S2, of what it accepted: a request that was turned away leaves nothing. The reservations
    // are this transaction's own. Primary keys. Repeating it changes nothing.
    private static let open = PostgresStatement(
        name: "user_open",
        sql: """
            INSERT INTO usage_user (shard, day, request_id, user_hash)
            SELECT $1, x.day, x.rid, x.hash
            FROM unnest($4::uuid[], $5::date[], $6::bytea[]) AS x(rid, day, hash)
            JOIN reservation r ON r.shard = $1 AND r.request_id = ANY ($4)
                AND r.request_id = x.rid AND r.node_id = $2 AND r.epoch = $3
            ON CONFLICT (shard, day, request_id) DO NOTHING
            """)

    // After D: of what has a record by now, also one that was swept or settled before, of which it
    // is as true. Primary keys; the days name the partitions. Repeating it changes nothing.
    private static let record = PostgresStatement(
        name: "user_record",
        sql: """
            INSERT INTO usage_user (shard, day, request_id, user_hash)
            SELECT $1, u.day, u.request_id, x.hash
            FROM unnest($2::uuid[], $3::date[], $4::bytea[]) AS x(rid, day, hash)
            JOIN usage u ON u.shard = $1 AND u.day = ANY ($3) AND u.request_id = ANY ($2)
                AND u.day = x.day AND u.request_id = x.rid
            ON CONFLICT (shard, day, request_id) DO NOTHING
            """)

    /// What goes after the statement that opens: at most one command.
    static func afterOpening(_ lane: LaneKey, _ openings: [Opening]) -> [PostgresCommand] {
        let columns = columns(openings)
        return columns.isEmpty ? [] : [PostgresCommand(open, lane.parameters + columns)]
    }

    /// What goes after the statement that records late: at most one command.
    static func afterRecording(
        shard: Int16, _ openings: some Sequence<Opening>
    ) -> [PostgresCommand] {
        let columns = columns(openings)
        return columns.isEmpty ? [] : [PostgresCommand(record, [.int2(shard)] + columns)]
    }

    /// The requests, their days and their users' hashes; nothing where nobody names any.
    private static func columns(_ openings: some Sequence<Opening>) -> [PostgresValue] {
        var ids: [UInt128] = []
        var days: [Int32] = []
        var hashes: [[UInt8]] = []
        for opening in openings {
            guard let user = opening.user else { continue }
            ids.append(opening.requestID.rawValue)
            days.append(opening.admittedAt.day.rawValue)
            hashes.append(user.bytes)
        }
        return ids.isEmpty ? [] : [.uuids(ids), .dates(days), .bytesArray(hashes)]
    }
}
