import Domain
import Postgres

/// A: the correction of a swept request.
enum CorrectStatement {
    // Lowers one account's charge for a swept request (basis 4) to the true amount, by an
    // append-only row whose primary key (request, account) makes it happen once. One account row;
    // the usage row is only read. The unit leaves `used` and `granted` alike, so the identity
    // holds, and `cap` sinks with it after a limit was lowered.
    private static let statement = PostgresStatement(
        name: "a_correct",
        sql: """
            WITH u AS (
                SELECT z.charge FROM usage u,
                    unnest(u.account_ids, u.charges) AS z(account, charge)
                WHERE u.shard = $1 AND u.day = $2 AND u.request_id = $3 AND u.basis = 4
                    AND z.account = $4 AND $5 <= z.charge),
            a AS (
                INSERT INTO usage_adj (shard, day, request_id, account_id, delta, reason)
                SELECT $1, $2, $3, $4, $5 - u.charge, 1 FROM u
                ON CONFLICT (shard, day, request_id, account_id) DO NOTHING
                RETURNING delta)
            UPDATE account SET used = account.used + a.delta,
                granted = account.granted + a.delta,
                cap = \(GrowStatement.cap(
                    soft: "account.soft", limit: "account.limit_units",
                    granted: "account.granted + a.delta"))
            FROM a WHERE account.shard = $1 AND account.account_id = $4
            RETURNING account.used
            """)

    static func command(
        shard: Int16, request: RequestID, day: CalendarDay, account: AccountID, amount: Int64
    ) -> PostgresCommand {
        PostgresCommand(
            statement,
            [
                .int2(shard), .date(day.rawValue), .uuid(request.rawValue),
                .int8(account.rawValue), .int8(amount),
            ])
    }
}
