import Domain

/// Accounts that this node has charged and that are still to be compared with thresholds.
///
/// Each is looked at twice: a settlement may be on its way to the ledger when the first look is
/// taken.
struct SettledAccounts: Sendable {
    private var rounds: [Int16: [AccountID: Int]] = [:]
    /// How often each is looked at.
    static let looks = 2

    /// Adds what was charged since the last time.
    mutating func add(_ accounts: [Int16: Set<AccountID>]) {
        for (shard, ids) in accounts {
            for id in ids { rounds[shard, default: [:]][id] = Self.looks }
        }
    }

    /// The accounts to look at now, by shard.
    var due: [(shard: Int16, accounts: [AccountID])] {
        rounds.map { ($0.key, $0.value.keys.sorted { $0.rawValue < $1.rawValue }) }
            .sorted { $0.shard < $1.shard }
    }

    /// Those of a shard were looked at.
    mutating func looked(at accounts: [AccountID], in shard: Int16) {
        for id in accounts {
            guard let left = rounds[shard]?[id] else { continue }
            rounds[shard]?[id] = left > 1 ? left - 1 : nil
        }
        if rounds[shard]?.isEmpty == true { rounds[shard] = nil }
    }
}
