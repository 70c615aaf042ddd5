import Domain
import Postgres

/// What became of a batch whose answer was lost although it was applied.
enum ResumeStatements {
    // Which of these requests the ledger holds, open or settled. Primary keys; the days bound the
    // partitions.
    private static let known = PostgresStatement(
        name: nil,
        sql: """
            SELECT r.request_id, false FROM reservation r
            WHERE r.shard = $1 AND r.request_id = ANY ($2)
            UNION ALL
            SELECT u.request_id, true FROM usage u
            WHERE u.shard = $1 AND u.day BETWEEN $3 AND $4 AND u.request_id = ANY ($2)
            """, isReadOnly: true)

    static func known(
        shard: Int16, _ requests: [RequestID], from first: CalendarDay, to last: CalendarDay
    ) -> PostgresCommand {
        PostgresCommand(
            known,
            [
                .int2(shard), .uuids(requests.map(\.rawValue)), .date(first.rawValue),
                .date(last.rawValue),
            ])
    }
}
