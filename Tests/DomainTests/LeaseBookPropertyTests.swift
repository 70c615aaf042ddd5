import Domain
import TestSupport
import Testing

/// Random histories over several books of one account, against the ledger's own arithmetic.
@Suite struct LeaseBookPropertyTests {
    private struct Node {
        var book: LeaseBook
        var orders: [LeaseOrder] = []
        var lease: Int64 = 0
        var settled: Int64 = 0
        var open: [RequestID: Int64] = [:]
        var claims: [RequestID: Claims] = [:]
    }

    private let account = AccountKey(
        subject: Subject(kind: .key, id: 7), resource: .tokens, period: .day,
        start: CalendarDay(rawValue: 20_000))

    @Test(arguments: 0..<1000 as Range<UInt64>)
    func `whatever happens, spent and held never exceed the limit and nothing leaks`(seed: UInt64)
        throws
    {
        var random = SplitMix(seed: seed)
        let limit = Int64(random.below(2000)) + 50
        var nodes = (0..<3).map { node in
            Node(book: LeaseBook { LeaseID(rawValue: Int64(node + 1)) })
        }
        var granted: Int64 = 0
        var charged: Int64 = 0
        var now: Int64 = 0
        var next = 1
        for _ in 0..<400 {
            now += Int64(random.below(40))
            let instant = Uptime(microseconds: now * 1000)
            let index = Int(random.below(3))
            var effects = LeaseBook.Effects()
            step(
                &nodes[index], at: instant, limit: limit, granted: &granted, charged: &charged,
                next: &next, random: &random, &effects)
            nodes[index].orders += effects.orders
            for (id, claims) in effects.admitted { nodes[index].claims[id] = claims }
            for id in effects.denied.keys { nodes[index].open[id] = nil }
            for id in effects.failed { nodes[index].open[id] = nil }
            let held = nodes.map { node in
                node.claims.keys.map { node.open[$0] ?? 0 }.reduce(0, +)
            }.reduce(0, +)
            #expect(charged + held <= limit, "seed \(seed)")
            #expect(granted <= limit, "seed \(seed)")
        }
        try expectNothingLeaks(
            &nodes, limit: limit, granted: &granted, charged: charged, seed: seed)
    }

    /// One thing that happens to a node.
    private func step(
        _ node: inout Node, at instant: Uptime, limit: Int64, granted: inout Int64,
        charged: inout Int64, next: inout Int, random: inout SplitMix,
        _ effects: inout LeaseBook.Effects
    ) {
        switch random.below(10) {
        case 0..<4:
            let units = Int64(random.below(120)) + 1
            let id = RequestID(rawValue: UInt128(next))
            next += 1
            let demand = LeaseBook.Demand(account: account, limit: limit, units: units)
            node.open[id] = units
            switch node.book.request(id, [demand], at: instant, &effects) {
            case .admitted(let claims): node.claims[id] = claims
            case .denied: node.open[id] = nil
            case .waiting: break
            }
        case 4..<7:
            guard let order = node.orders.first else { return }
            node.orders.removeFirst()
            let reply = Self.answer(
                order, limit: limit, granted: &granted, node: &node,
                charged: charged, random: &random)
            node.book.replied(reply, to: order, at: instant, &effects)
        case 7..<9:
            guard let (id, claims) = node.claims.min(by: { $0.key.rawValue < $1.key.rawValue }),
                let units = node.open[id]
            else { return }
            let spent = Int64(random.below(UInt64(units) + 1))
            node.claims[id] = nil
            node.open[id] = nil
            charged += spent
            node.settled += spent
            node.book.settled(
                claims, charge: Self.charge(spent, of: units), at: instant, &effects)
        default:
            node.book.maintain(at: instant, &effects)
        }
    }

    /// After everything is settled and returned, exactly what was charged is gone.
    private func expectNothingLeaks(
        _ nodes: inout [Node], limit: Int64, granted: inout Int64, charged: Int64, seed: UInt64
    ) throws {
        var charged = charged
        var random = SplitMix(seed: seed)
        for index in nodes.indices {
            var effects = LeaseBook.Effects()
            let instant = Uptime(microseconds: 1_000_000_000)
            for (id, claims) in nodes[index].claims {
                let units = try #require(nodes[index].open[id])
                charged += units
                nodes[index].settled += units
                nodes[index].book.settled(
                    claims, charge: Self.charge(units, of: units), at: instant, &effects)
            }
            nodes[index].book.drain(&effects)
            var orders = nodes[index].orders + effects.orders
            var steps = 0
            while let order = orders.first {
                orders.removeFirst()
                steps += 1
                try #require(steps < 50)
                var more = LeaseBook.Effects()
                // No random faults any more.
                let reply = Self.answer(
                    order, limit: limit, granted: &granted, node: &nodes[index],
                    charged: charged, random: &random, faults: false)
                nodes[index].book.replied(reply, to: order, at: instant, &more)
                nodes[index].book.drain(&more)
                orders += more.orders
            }
        }
        #expect(granted == charged, "seed \(seed)")
    }

    private static func answer(
        _ order: LeaseOrder, limit: Int64, granted: inout Int64, node: inout Node, charged: Int64,
        random: inout SplitMix, faults: Bool = true
    ) -> LeaseReply {
        let id = AccountID(rawValue: 1)
        let fault = faults ? random.below(10) : 9
        switch order.action {
        case .grow(let want, let least):
            if fault == 0 { return .failed }
            if fault == 2 { return .unknown }
            guard limit - granted >= least else {
                return .refused(
                    id,
                    AccountStatus(
                        limit: limit, used: charged, reserved: 0, remaining: limit - granted))
            }
            let amount = min(want, limit - granted)
            granted += amount
            node.lease += amount
            // The grant happened; its answer is lost.
            if fault == 1 { return .unknown }
            return .granted(id, size: node.lease, remaining: limit - granted)
        case .giveBack(let units, let forget):
            if fault == 0 { return .notReturned(size: node.lease) }
            if fault == 2 { return .unknown }
            // The end of a lease returns all that was not settled, whatever the node believes.
            let returned = forget ? node.lease - node.settled : units
            granted -= returned
            node.lease -= returned
            if forget {
                node.lease = 0
                node.settled = 0
            }
            if fault == 1 { return .unknown }
            return .returned(size: node.lease, remaining: limit - granted)
        case .look:
            if fault == 0 { return .unknown }
            return .found(
                node.lease > 0 ? id : nil, size: node.lease, remaining: limit - granted)
        }
    }

    private static func charge(_ tokens: Int64, of units: Int64) -> Charge {
        Charge(
            Settlement(
                usage: TokenUsage(prompt: tokens, completion: 0), basis: .reported,
                endState: .finished, timeToFirstToken: nil, duration: .zero),
            bound: TokenBound(prompt: units, completion: 1), price: nil)
    }
}
