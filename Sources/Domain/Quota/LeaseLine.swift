/// The requests that wait for leases, each at the one account that it is known to lack. A part of
/// ``LeaseBook``.
///
/// At one account only, so that an event costs what stands there and not what stands in the whole
/// line, and so that a request which waits for its own key's lease holds up nobody of its
/// organization. At one account they stand in the order they came.
struct LeaseLine: Sendable {
    /// A request in line.
    struct Waiter: Sendable {
        let id: RequestID
        let demands: [LeaseBook.Demand]
        let since: Uptime
        /// Its place among all that ever came.
        let number: UInt64

        /// What it needs of `account`, and how.
        func demand(of account: AccountKey) -> LeaseBook.Demand? {
            demands.first { $0.account == account }
        }

        /// What it needs of `account`.
        func units(of account: AccountKey) -> Int64 { demand(of: account)?.units ?? 0 }
    }

    private var queues: [AccountKey: [Waiter]] = [:]
    private var places: [RequestID: AccountKey] = [:]
    /// What all that stand in line need of an account, wherever they stand.
    private var needs: [AccountKey: (units: Int128, count: Int)] = [:]
    private var lastNumber: UInt64 = 0

    /// How many stand in line.
    var count: Int { places.count }
    var isEmpty: Bool { places.isEmpty }

    /// Whether anybody in line needs something of `account`.
    func needs(_ account: AccountKey) -> Bool { needs[account] != nil }

    /// What all in line need of `account`: far above any limit it is cut, far from overflow.
    func units(of account: AccountKey) -> Int64 {
        Int64(min(needs[account]?.units ?? 0, 1 << 60))
    }

    /// Who waits under an id.
    func waiter(_ id: RequestID) -> Waiter? {
        places[id].flatMap { queues[$0]?.first { $0.id == id } }
    }

    /// Whoever stands first at `account`.
    func head(at account: AccountKey) -> Waiter? { queues[account]?.first }

    /// The least that anybody who stands at `account` needs of it.
    func least(at account: AccountKey) -> Int64? {
        queues[account]?.lazy.map { $0.units(of: account) }.min()
    }

    /// A request joins the line at `account`.
    mutating func join(
        _ id: RequestID, _ demands: [LeaseBook.Demand], since: Uptime, at account: AccountKey
    ) {
        lastNumber += 1
        let waiter = Waiter(id: id, demands: demands, since: since, number: lastNumber)
        for demand in demands {
            let (units, count) = needs[demand.account] ?? (0, 0)
            needs[demand.account] = (units + Int128(demand.units), count + 1)
        }
        queues[account, default: []].append(waiter)
        places[id] = account
    }

    /// Takes everybody from `account` to be looked at; each then stands somewhere again, or leaves.
    mutating func take(at account: AccountKey) -> [Waiter] {
        queues.removeValue(forKey: account) ?? []
    }

    /// Those that go on standing at `account`, in their order.
    mutating func putBack(_ waiters: [Waiter], at account: AccountKey) {
        queues[account] = waiters.isEmpty ? nil : waiters
    }

    /// Who was taken now stands at `account`, before all that came later.
    mutating func move(_ waiter: Waiter, to account: AccountKey) {
        let index = queues[account]?.firstIndex { $0.number > waiter.number }
        if let index {
            queues[account]?.insert(waiter, at: index)
        } else {
            queues[account, default: []].append(waiter)
        }
        places[waiter.id] = account
    }

    /// Who was taken leaves the line.
    mutating func leave(_ waiter: Waiter) {
        places[waiter.id] = nil
        for demand in waiter.demands {
            guard let (units, count) = needs[demand.account] else { continue }
            needs[demand.account] = count > 1 ? (units - Int128(demand.units), count - 1) : nil
        }
    }

    /// A request leaves the line; tells where it stood. Nil when it is not in line any more.
    mutating func remove(_ id: RequestID) -> AccountKey? {
        guard let account = places[id] else { return nil }
        var queue = take(at: account)
        if let index = queue.firstIndex(where: { $0.id == id }) { leave(queue.remove(at: index)) }
        putBack(queue, at: account)
        return account
    }

    /// Everybody leaves.
    mutating func removeAll() -> [RequestID] {
        let all = queues.values.joined().sorted { $0.number < $1.number }
        self = LeaseLine()
        return all.map(\.id)
    }
}
