import Domain

/// The ledger's tables in memory, as one value: a copy of it is a snapshot, which is what a
/// failover goes back to. One shard.
///
/// A fake. What makes it worth something is ``StatementDifferenceTests``, which runs the same random
/// commands here and on a real Postgres and compares every answer and every row.
struct LedgerTables: Sendable {
    /// The clock of the ledger's host, in microseconds since 1970.
    var now: Int64
    let shard: Int16
    /// Rises with each failover.
    var timeline: Int64 = 1
    /// What this ledger does wrong; nothing but in the tests of the simulation itself.
    var mutation: Mutation?

    /// By key id; true while it is valid.
    var keys: [Int64: Bool] = [:]
    var quotas: [QuotaName: Int64] = [:]
    var lanes: [Int64: Lane] = [:]
    var accounts: [Int64: Account] = [:]
    var leases: [Int64: Lease] = [:]
    var reservations: [UInt128: Reservation] = [:]
    var usage: [UsageName: Usage] = [:]
    var corrections: [CorrectionName: Int64] = [:]
    var hours: [HourName: Hour] = [:]

    struct QuotaName: Hashable, Sendable {
        let kind: Int16
        let subject: Int64
        let resource: Int16
        let period: Int16
    }

    struct Lane: Equatable, Sendable {
        var epoch: UInt128
        var lastSequence: Int64 = 0
        var isLive = true
        var heartbeat: Int64
        /// Nil once nothing has to be compared any more.
        var timeline: Int64?
    }

    struct Account: Equatable, Sendable {
        let quota: QuotaName
        let start: Int32
        var limit: Int64
        var cap: Int64
        var granted: Int64 = 0
        var used: Int64 = 0
        var lastGrant: Int64 = 0
        var recallGeneration: Int64 = 0
    }

    struct Lease: Equatable, Sendable {
        let account: Int64
        let node: Int64
        let epoch: UInt128
        var granted: Int64
        var reserved: Int64 = 0
        var settled: Int64 = 0
        var rides = false
    }

    struct Reservation: Equatable, Sendable {
        let node: Int64
        let epoch: UInt128
        let key: Int64
        let model: Int32
        let prompt: Int64
        let completion: Int64
        let cost: Int64
        var leases: [Int64]
        let accounts: [Int64]
        let units: [Int64]
        let admittedAt: Int64
    }

    /// The primary key of `usage`.
    struct UsageName: Hashable, Sendable {
        let day: Int32
        let request: UInt128
    }

    struct Usage: Equatable, Sendable {
        let node: Int64
        let key: Int64
        let model: Int32
        var prompt: Int64
        var completion: Int64
        var charged: Int64
        var overage: Int64
        var cost: Int64
        var basis: Int16
        var endState: Int16
        let accounts: [Int64]
        let charges: [Int64]
    }

    /// The primary key of `usage_adj`.
    struct CorrectionName: Hashable, Sendable {
        let usage: UsageName
        let account: Int64
    }

    /// The primary key of `usage_hour`.
    struct HourName: Hashable, Sendable {
        let hour: Int64
        let key: Int64
        let model: Int32
        let node: Int64
    }

    struct Hour: Equatable, Sendable {
        var requests: Int64 = 0
        var failedRequests: Int64 = 0
        var prompt: Int64 = 0
        var completion: Int64 = 0
        var charged: Int64 = 0
        var cost: Int64 = 0
    }

    init(shard: Int16, now: Int64) {
        self.shard = shard
        self.now = now
    }
}

/// A server's refusal of a statement.
struct StatementFault: Error, Equatable {
    let sqlState: String
    var constraint: String?

    static let divisionByZero = StatementFault(sqlState: "22012")
    static func check(_ name: String) -> StatementFault {
        StatementFault(sqlState: "23514", constraint: name)
    }
    static func unique(_ name: String) -> StatementFault {
        StatementFault(sqlState: "23505", constraint: name)
    }
}

/// Writes that keep the constraints of the schema: the proof of the design stands on them.
extension LedgerTables {
    mutating func write(_ account: Account, _ id: Int64) throws(StatementFault) {
        guard account.used >= 0 else { throw .check("account_used_check") }
        guard account.used <= account.granted else { throw .check("account_check") }
        guard account.granted <= account.cap || mutation == .growthPastTheLimit else {
            throw .check("account_check1")
        }
        guard account.limit <= account.cap else { throw .check("account_check2") }
        accounts[id] = account
    }

    mutating func write(_ lease: Lease, _ id: Int64) throws(StatementFault) {
        guard lease.reserved >= 0 else { throw .check("lease_reserved_check") }
        guard lease.settled >= 0 else { throw .check("lease_settled_check") }
        guard lease.reserved + lease.settled <= lease.granted
        else { throw .check("lease_check") }
        leases[id] = lease
    }

    /// The UTC day of an instant.
    static func day(of microseconds: Int64) -> Int32 {
        Timestamp(microseconds: microseconds).day.rawValue
    }
}
