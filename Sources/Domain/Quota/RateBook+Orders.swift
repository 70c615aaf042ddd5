/// The line of waiting requests, and what is asked of the ledger for them.
extension RateBook {
    /// The ledger answered the list of orders that was in flight.
    public mutating func replied(
        _ replies: [(RateOrder, RateReply)], at now: Uptime, _ effects: inout Effects
    ) {
        for (order, reply) in replies {
            slots[order.bucket]?.apply(reply, to: order, at: now)
        }
        isOrdering = false
        isAway = false
        serveLine(at: now, &effects)
        sendOrders(at: now, &effects)
    }

    /// The list of orders in flight got no answer. `isCertain`: nothing of it was carried out.
    public mutating func failed(
        _ orders: [RateOrder], isCertain: Bool, at now: Uptime, _ effects: inout Effects
    ) {
        for order in orders { slots[order.bucket]?.failed(order, isCertain: isCertain) }
        isOrdering = false
        goAway(at: now, &effects)
    }

    /// The ledger does not answer: whoever waits is decided by this node's part of the limits.
    public mutating func goAway(at now: Uptime, _ effects: inout Effects) {
        isAway = true
        let line = waiters
        waiters = []
        for waiter in line {
            switch decideByShare(waiter.limits, tokens: waiter.tokens, at: now) {
            case .passed(let ticket): effects.passed[waiter.id] = ticket
            case .denied(let denial): effects.denied[waiter.id] = denial
            case .waiting, .overloaded: preconditionFailure("a share decides at once")
            }
        }
    }

    /// Serves the line in the order it was formed, after an answer.
    private mutating func serveLine(at now: Uptime, _ effects: inout Effects) {
        let line = waiters
        waiters = []
        for waiter in line {
            var isCovered = true
            var denial: Denial?
            for limit in waiter.limits {
                switch verdict(limit, tokens: waiter.tokens, isNew: false, at: now) {
                case .covered: continue
                case .short: isCovered = false
                case .denied(let reason): denial = denial ?? reason
                }
            }
            if let denial {
                effects.denied[waiter.id] = denial
            } else if isCovered {
                effects.passed[waiter.id] = take(waiter.limits, tokens: waiter.tokens, at: now)
            } else {
                waiters.append(waiter)
            }
        }
    }

    /// Sends one list of orders, unless one is in flight: for those in line first, then ahead of
    /// need, then what the ledger should hear of. What does not fit goes with the next.
    mutating func sendOrders(at now: Uptime, _ effects: inout Effects) {
        guard !isOrdering else { return }
        var orders: [RateOrder] = []
        if !waiters.isEmpty { orderForLine(at: now, &orders) }
        while !isAway, orders.count < Self.batchLimit, let bucket = prefetches.popLast() {
            slots[bucket]?.awaitsPrefetch = false
            guard let slot = slots[bucket], slot.wantsPrefetch(nodes: liveNodes, at: now) else {
                continue
            }
            order(bucket, sum: 0, least: 0, at: now, &orders)
        }
        // An absent ledger is asked once a second whether it is back.
        if newsAreDue, !isAway || now - lastOrder >= .seconds(1) {
            newsAreDue = false
            for (bucket, slot) in slots where slot.hasNews && !slot.isOrdered {
                guard orders.count < Self.batchLimit else { break }
                order(bucket, sum: 0, least: 0, at: now, &orders)
            }
        }
        guard !orders.isEmpty else { return }
        isOrdering = true
        lastOrder = now
        effects.orders = orders
    }

    private mutating func orderForLine(at now: Uptime, _ orders: inout [RateOrder]) {
        var wanted: [RateBucket: (sum: Int64, least: Int64)] = [:]
        var inOrder: [RateLimit] = []
        for waiter in waiters {
            for limit in waiter.limits where limit.dimension != .concurrentRequests {
                let cells = Self.cells(of: limit, tokens: waiter.tokens)
                let bucket = Self.bucket(of: limit)
                if let known = wanted[bucket] {
                    // Far above any limit, and far from overflow.
                    wanted[bucket] = (min(known.sum + cells, 1 << 60), min(known.least, cells))
                } else {
                    guard inOrder.count < Self.batchLimit else { continue }
                    wanted[bucket] = (cells, cells)
                    inOrder.append(limit)
                }
            }
        }
        for limit in inOrder {
            let bucket = Self.bucket(of: limit)
            change(limit, at: now) { slot in slot.follow(limit.limit) }
            guard let need = wanted[bucket], let slot = slots[bucket],
                slot.held(at: now) < need.sum
            else { continue }
            order(bucket, sum: need.sum, least: need.least, at: now, &orders)
        }
    }

    private mutating func order(
        _ bucket: RateBucket, sum: Int64, least: Int64, at now: Uptime,
        _ orders: inout [RateOrder]
    ) {
        guard
            let order = slots[bucket]?.order(sum: sum, least: least, nodes: liveNodes, at: now)
        else { return }
        orders.append(order)
    }
}
