/// What one limit says of one request, and taking of all of them.
extension RateBook {
    enum Verdict {
        case covered
        /// The ledger has to be asked.
        case short
        case denied(Denial)
    }

    static func bucket(of limit: RateLimit) -> RateBucket {
        RateBucket(subject: limit.subject, dimension: limit.dimension)
    }

    static func cells(of limit: RateLimit, tokens: Int64) -> Int64 {
        limit.dimension == .tokensPerMinute ? tokens : 1
    }

    /// `isNew`: the request does not stand in line yet.
    func verdict(_ limit: RateLimit, tokens: Int64, isNew: Bool, at now: Uptime) -> Verdict {
        if limit.dimension == .concurrentRequests { return verdictOnPlaces(limit) }
        let cells = Self.cells(of: limit, tokens: tokens)
        guard cells <= limit.limit else { return .denied(Self.oversized(limit, cells)) }
        guard let slot = slots[Self.bucket(of: limit)] else { return .short }
        if slot.covers(cells, of: limit.limit, at: now) { return .covered }
        guard let wait = slot.wait(for: cells, isNew: isNew, nodes: liveNodes, at: now),
            !isAway, !slot.isOf(another: limit)
        else { return .short }
        return .denied(denial(by: limit, slot, cells, wait: wait, at: now))
    }

    private func verdictOnPlaces(_ limit: RateLimit) -> Verdict {
        let count = running[limit.subject, default: 0]
        guard count >= limit.limit else { return .covered }
        return .denied(
            Self.denial(limit, requested: 1, used: count, wait: .seconds(1)))
    }

    /// Takes of every limit what a request needs, and notes where it is time to lease ahead. The
    /// caller sends the orders, once it is known who else waits: leasing ahead must not go before.
    mutating func take(_ limits: [RateLimit], tokens: Int64, at now: Uptime) -> Ticket {
        for limit in limits {
            if limit.dimension == .concurrentRequests {
                running[limit.subject, default: 0] += 1
                continue
            }
            let bucket = Self.bucket(of: limit)
            let nodes = liveNodes
            // Copied out and in again: changing it in place, behind an optional, allocates.
            guard var slot = slots[bucket] else { continue }
            let wantsMore = slot.takeAndLook(
                Self.cells(of: limit, tokens: tokens), nodes: nodes, at: now)
            slots[bucket] = slot
            if wantsMore { prefetches.append(bucket) }
        }
        return Ticket(limits: limits, tokens: tokens, taken: now, isOfShare: false)
    }

    /// Decides without the ledger, by this node's part of every limit.
    mutating func decideByShare(
        _ limits: [RateLimit], tokens: Int64, at now: Uptime
    ) -> Decision {
        for limit in limits {
            if limit.dimension == .concurrentRequests {
                if case .denied(let denial) = verdictOnPlaces(limit) { return .denied(denial) }
                continue
            }
            let cells = Self.cells(of: limit, tokens: tokens)
            let nodes = liveNodes
            var wait: Duration?
            change(limit, at: now) { slot in
                slot.follow(limit.limit)
                wait = slot.waitByShare(for: cells, nodes: nodes, at: now)
            }
            if let wait, let slot = slots[Self.bucket(of: limit)] {
                return .denied(denial(by: limit, slot, cells, wait: wait, at: now))
            }
        }
        for limit in limits {
            if limit.dimension == .concurrentRequests {
                running[limit.subject, default: 0] += 1
            } else {
                slots[Self.bucket(of: limit)]?.takeOfShare(
                    Self.cells(of: limit, tokens: tokens), at: now)
            }
        }
        return .passed(Ticket(limits: limits, tokens: tokens, taken: now, isOfShare: true))
    }

    /// Changes a limit's slot, which is made if there is none.
    mutating func change(_ limit: RateLimit, at now: Uptime, _ body: (inout RateSlot) -> Void) {
        body(&slots[Self.bucket(of: limit), default: RateSlot(limit, at: now)])
    }

    mutating func release(_ subject: Subject) {
        let count = running[subject, default: 0] - 1
        running[subject] = count > 0 ? count : nil
    }

    private func denial(
        by limit: RateLimit, _ slot: RateSlot, _ cells: Int64, wait: Duration, at now: Uptime
    ) -> Denial {
        let used = limit.limit - slot.line(of: limit.limit, at: now).remaining
        return Self.denial(limit, requested: cells, used: used, wait: wait)
    }

    private static func denial(
        _ limit: RateLimit, requested: Int64, used: Int64, wait: Duration
    ) -> Denial {
        Denial(
            reason: .rateLimited(limit.dimension), subject: limit.subject,
            resource: limit.dimension == .tokensPerMinute ? .tokens : .requests, period: nil,
            limit: limit.limit, used: used, reserved: nil, requested: requested, retryAfter: wait,
            resetsAt: nil)
    }

    /// No wait makes such a request pass.
    private static func oversized(_ limit: RateLimit, _ cells: Int64) -> Denial {
        Denial(
            reason: .exceedsLimit, subject: limit.subject, resource: .tokens, period: nil,
            limit: limit.limit, used: nil, reserved: nil, requested: cells, retryAfter: nil,
            resetsAt: nil)
    }
}

extension RateSlot {
    /// Takes cells, and says whether it is time to lease ahead.
    mutating func takeAndLook(_ cells: Int64, nodes: Int64, at now: Uptime) -> Bool {
        take(cells, at: now)
        guard !awaitsPrefetch, wantsPrefetch(nodes: nodes, at: now) else { return false }
        awaitsPrefetch = true
        return true
    }
}
