/// How much of the tokens and the money that keys share, by a team's or an organization's quota, the
/// running requests of one key may hold: giant or slow requests of one key must not lock out all
/// others (`ledger.md` §8, A8).
///
/// Pure, and this node's own: it counts what the key's requests hold here, at their bounds, from the
/// moment they are let in or stand in line. A key may hold its share divided by the live nodes, and
/// one request alone up to the whole share; so on N nodes it holds no more than its share, or than
/// its largest request on each, whichever is more.
public struct KeyShares: Sendable {
    private struct Place: Hashable {
        let key: Int64
        let account: AccountKey
    }

    private let percent: Int64
    private var held: [Place: Int64] = [:]

    /// Makes shares of `percent` of each limit, 1 to 100; at 100 nothing is counted or refused.
    public init(percent: Int64) {
        precondition((1...100).contains(percent), "a share is 1 to 100 per cent")
        self.percent = percent
    }

    /// Whether no request holds anything.
    public var isEmpty: Bool { held.isEmpty }

    /// Why a request of the key, by its subject's id, may not run beside what the key holds: the
    /// first shared account of which it would hold too much. Nil when it may. What is larger than a
    /// limit itself is left to whoever knows the limit.
    public func refusal(
        of demands: [LeaseBook.Demand], by key: Int64, liveNodes: Int64
    ) -> Denial? {
        guard percent < 100 else { return nil }
        for demand in demands
        where !demand.isSoft && isShared(demand.account) && demand.units <= demand.limit {
            // In two parts: a limit may be near the largest number there is.
            let share = demand.limit / 100 * percent + demand.limit % 100 * percent / 100
            if demand.units > share {
                return denial(.exceedsKeyShare(most: share), demand, held: nil)
            }
            let held = held[Place(key: key, account: demand.account)] ?? 0
            if held > 0, demand.units > share / max(1, liveNodes) - held {
                return denial(.keyShareReserved(most: share), demand, held: held)
            }
        }
        return nil
    }

    /// A request of the key begins to hold what it needs.
    public mutating func take(_ demands: [LeaseBook.Demand], by key: Int64) {
        for demand in demands where !demand.isSoft {
            change(demand.account, by: demand.units, of: key)
        }
    }

    /// A request of the key holds nothing any more: it stood in line and was not let in.
    public mutating func giveBack(_ demands: [LeaseBook.Demand], by key: Int64) {
        for demand in demands where !demand.isSoft {
            change(demand.account, by: -demand.units, of: key)
        }
    }

    /// A request of the key holds nothing any more: it ended.
    public mutating func giveBack(_ claims: Claims, by key: Int64) {
        for claim in claims { change(claim.account, by: -claim.units, of: key) }
    }

    private mutating func change(_ account: AccountKey, by units: Int64, of key: Int64) {
        guard percent < 100, isShared(account) else { return }
        let place = Place(key: key, account: account)
        // Who was let in was within a share: no sum comes near an overflow.
        let sum = (held[place] ?? 0) + units
        held[place] = sum > 0 ? sum : nil
    }

    /// Whether other keys may be locked out of an account by what is held and never spent. A request
    /// that is held is a request that counts.
    private func isShared(_ account: AccountKey) -> Bool {
        account.subject.kind != .key && account.resource != .requests
    }

    private func denial(
        _ reason: Denial.Reason, _ demand: LeaseBook.Demand, held: Int64?
    ) -> Denial {
        Denial(
            reason: reason, subject: demand.account.subject, resource: demand.account.resource,
            period: demand.account.period, limit: demand.limit, used: nil, reserved: held,
            requested: demand.units,
            retryAfter: held == nil ? nil : .seconds(1), resetsAt: nil)
    }
}
