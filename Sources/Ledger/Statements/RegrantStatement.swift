import Domain
import Postgres

/// G': units for what a node did with leases that the ledger lost.
enum RegrantStatement {
    // Makes sure that a fenced node's lease has $6 units free, as far as the account's limit allows:
    // a failover to a server that lacked the grant lost the lease, or its growth, and requests that
    // spent it are about to be recorded. Like a grant in all but that the lane is over; `rides`, so
    // that a sweep leaves it to its node. What is not spent goes back when the node ends the lease,
    // so a repetition grants no more. The account's row is locked by a statement before, so that
    // what the lease has free is read as it is. Locks: account, then lease. Primary keys.
    private static let statement = PostgresStatement(
        name: "g_regrant",
        sql: """
            WITH m AS (
                SELECT $6::int8 - coalesce((
                    SELECT l.granted - l.settled - l.reserved FROM lease l
                    WHERE l.shard = $1 AND l.lease_id = $3), 0) AS missing),
            a AS (
                UPDATE account SET last_grant = LEAST(m.missing, cap - granted),
                    granted = granted + LEAST(m.missing, cap - granted)
                FROM m
                WHERE shard = $1 AND account_id = $2 AND closed_at IS NULL
                    AND m.missing > 0 AND cap - granted > 0
                RETURNING account_id, last_grant)
            INSERT INTO lease (shard, lease_id, account_id, node_id, epoch, granted, rides)
            SELECT $1, $3, account_id, $4, $5, last_grant, true FROM a
            ON CONFLICT (shard, lease_id)
            DO UPDATE SET granted = lease.granted + EXCLUDED.granted, rides = true
            RETURNING granted
            """)

    static func command(
        _ lane: LaneKey, account: AccountID, lease: LeaseID, need: Int64
    ) -> PostgresCommand {
        PostgresCommand(
            statement,
            [
                .int2(lane.shard), .int8(account.rawValue), .int8(lease.rawValue),
                .int8(lane.node), .uuid(lane.epoch), .int8(need),
            ])
    }

    // Holds back every other grant and return of the account, and the ends of its leases, until the
    // transaction is over. Several are locked in the order of their numbers.
    private static let lock = PostgresStatement(
        name: "g_lock",
        sql: """
            SELECT a.granted FROM account a WHERE a.shard = $1 AND a.account_id = $2 FOR UPDATE
            """)

    /// The commands for everything that `records` charge: the accounts' rows, made under their old
    /// numbers if they are lost too, and locked, then each lease.
    static func commands(_ lane: LaneKey, for records: [LateRecord]) -> [PostgresCommand] {
        let needs = needs(of: records)
        var accounts: [AccountID: AccountKey] = [:]
        for claim in records.flatMap(\.opening.claims) {
            accounts[claim.accountID] = claim.account
        }
        let made = accounts.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { id, account in
            [
                GrowStatement.ensure(
                    shard: lane.shard, account: account, candidate: id.rawValue),
                PostgresCommand(lock, [.int2(lane.shard), .int8(id.rawValue)]),
            ]
        }
        let granted = needs.sorted { $0.key.rawValue < $1.key.rawValue }.map {
            command(lane, account: $0.value.account, lease: $0.key, need: $0.value.units)
        }
        return made + granted
    }

    /// What the records need of each lease.
    static func needs(
        of records: [LateRecord]
    ) -> [LeaseID: (account: AccountID, units: Int64)] {
        var needs: [LeaseID: (account: AccountID, units: Int64)] = [:]
        for record in records {
            for (claim, charge) in zip(record.opening.claims, record.charges) {
                needs[claim.lease, default: (claim.accountID, 0)].units += charge
            }
        }
        return needs
    }
}
