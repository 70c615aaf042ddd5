import Domain
import Testing

private func at(_ milliseconds: Int64) -> Uptime { Uptime(microseconds: milliseconds * 1000) }

/// A node's rate limits against a ledger that answers when the test says so.
@Suite struct RateBookTests {
    private let key = Subject(kind: .key, id: 1)
    private let team = Subject(kind: .team, id: 2)

    /// A book, the ledger's buckets, and the orders on their way.
    private struct Rig {
        var book: RateBook
        var ledger = RateModel()
        var orders: [RateOrder] = []
        var asked = 0
        var effects = RateBook.Effects()
        private var count: UInt64 = 0

        init(_ limits: [RateLimit], nodes: Int64 = 1) {
            book = RateBook(patience: .seconds(1))
            book.liveNodes = nodes
            for limit in limits { set(limit) }
        }

        mutating func set(_ limit: RateLimit) {
            ledger.limits[RateBucket(subject: limit.subject, dimension: limit.dimension)] =
                limit.limit
        }

        mutating func admit(
            _ limits: [RateLimit], tokens: Int64 = 1, at now: Uptime
        ) -> (RequestID, RateBook.Decision) {
            count += 1
            let id = RequestID(at: Timestamp(microseconds: 0), random: (count, 0))
            effects = RateBook.Effects()
            let decision = book.admit(id, limits, tokens: tokens, at: now, &effects)
            collect()
            return (id, decision)
        }

        mutating func answer(at now: Uptime) {
            let replies = orders.map {
                ($0, ledger.carryOut($0, at: now.microseconds + 5_000_000, asked: now))
            }
            orders = []
            effects = RateBook.Effects()
            book.replied(replies, at: now, &effects)
            collect()
        }

        mutating func tick(at now: Uptime) {
            effects = RateBook.Effects()
            book.tick(at: now, &effects)
            collect()
        }

        mutating func fail(at now: Uptime) {
            effects = RateBook.Effects()
            let lost = orders
            orders = []
            book.failed(lost, isCertain: true, at: now, &effects)
            collect()
        }

        /// Admits and lets the ledger answer at once. Nil when it was denied.
        mutating func pass(
            _ limits: [RateLimit], tokens: Int64 = 1, at now: Uptime
        ) -> RateBook.Ticket? {
            let (id, decision) = admit(limits, tokens: tokens, at: now)
            switch decision {
            case .passed(let ticket): return ticket
            case .denied, .overloaded: return nil
            case .waiting:
                answer(at: now)
                return effects.passed[id]
            }
        }

        private mutating func collect() {
            guard !effects.orders.isEmpty else { return }
            asked += 1
            orders = effects.orders
        }
    }

    private func denial(_ decision: RateBook.Decision) -> Denial? {
        if case .denied(let denial) = decision { denial } else { nil }
    }

    private func isPassed(_ decision: RateBook.Decision) -> Bool {
        if case .passed = decision { true } else { false }
    }

    @Test func `a request without cells stands in line and passes with the ledger's answer`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 10)
        var rig = Rig([limit])
        let (id, decision) = rig.admit([limit], at: at(0))
        #expect(decision == .waiting)
        #expect(rig.orders.map(\.want) == [1])
        rig.answer(at: at(3))
        #expect(rig.effects.passed[id] != nil)
        #expect(rig.book.standing(of: limit, at: at(3))?.remaining == 9)
    }

    @Test func `a request that one limit refuses takes of none`() {
        let limits = [
            RateLimit(subject: key, dimension: .requestsPerMinute, limit: 10),
            RateLimit(subject: team, dimension: .tokensPerMinute, limit: 100),
        ]
        var rig = Rig(limits)
        #expect(rig.pass(limits, tokens: 80, at: at(0)) != nil)
        #expect(rig.pass(limits, tokens: 80, at: at(1)) == nil)
        #expect(rig.book.standing(of: limits[0], at: at(1))?.remaining == 9)
        let (_, again) = rig.admit(limits, tokens: 80, at: at(2))
        #expect(denial(again)?.reason == .rateLimited(.tokensPerMinute))
        #expect(denial(again)?.subject == team)
    }

    @Test func `all who wait are served by one order, as many as the limit allows`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 5)
        var rig = Rig([limit])
        var ids: [RequestID] = []
        for _ in 0..<20 { ids.append(rig.admit([limit], at: at(0)).0) }
        #expect(rig.asked == 1)
        // The first order went for the first; the next one goes for all the others.
        rig.answer(at: at(2))
        #expect(rig.effects.passed.count == 1)
        rig.answer(at: at(4))
        #expect(rig.effects.passed.count == 4)
        #expect(rig.effects.denied.count == 15)
        #expect(rig.asked == 2)
    }

    @Test func `a flood on an exhausted limit asks the ledger nothing until a cell is due`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 60)
        var rig = Rig([limit], nodes: 3)
        for _ in 0..<60 { #expect(rig.pass([limit], at: at(0)) != nil) }
        let asked = rig.asked
        #expect(rig.pass([limit], at: at(0)) == nil)
        for millisecond in 1..<1000 as Range<Int64> {
            let (_, decision) = rig.admit([limit], at: at(millisecond))
            #expect(denial(decision)?.retryAfter == .milliseconds(1000 - millisecond))
        }
        #expect(rig.asked <= asked + 1)
        #expect(rig.pass([limit], at: at(1000)) != nil)
    }

    @Test func `a flood on a high limit that is exhausted asks no more than once in 25 ms`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 60_000)
        var rig = Rig([limit])
        var passed = 0
        for step in 0..<100_000 as Range<Int64> {
            let now = Uptime(microseconds: step * 40)
            if rig.pass([limit], at: now) != nil { passed += 1 }
        }
        // 60,000 at once and 1,000 a second; 25,000 came each second.
        #expect(passed >= 63_000 && passed <= 64_000, "\(passed)")
        #expect(rig.asked < 1000, "\(rig.asked)")
    }

    @Test func `waiting exactly as long as told is enough`() {
        let limit = RateLimit(subject: key, dimension: .tokensPerMinute, limit: 7_001)
        var rig = Rig([limit])
        #expect(rig.pass([limit], tokens: 7_000, at: at(0)) != nil)
        let (id, decision) = rig.admit([limit], tokens: 300, at: at(10))
        #expect(decision == .waiting || denial(decision) != nil)
        rig.answer(at: at(10))
        let told = rig.effects.denied[id] ?? denial(decision)
        guard let wait = told?.retryAfter else {
            Issue.record("not told")
            return
        }
        #expect(rig.pass([limit], tokens: 300, at: at(10) + (wait - .microseconds(2))) == nil)
        #expect(rig.pass([limit], tokens: 300, at: at(10) + wait) != nil)
    }

    @Test func `when other nodes may have credited tokens a refusal is asked about again`() {
        let limit = RateLimit(subject: key, dimension: .tokensPerMinute, limit: 1000)
        var rig = Rig([limit], nodes: 2)
        #expect(rig.pass([limit], tokens: 1000, at: at(0)) != nil)
        #expect(rig.pass([limit], tokens: 500, at: at(1)) == nil)
        _ = rig.ledger.carryOut(
            RateOrder(
                bucket: RateBucket(subject: key, dimension: .tokensPerMinute), want: 0, least: 1,
                credit: 900), at: 5_010_000, asked: at(10))
        #expect(denial(rig.admit([limit], tokens: 500, at: at(100)).1) != nil)
        #expect(rig.pass([limit], tokens: 500, at: at(300)) != nil)
    }

    @Test func `a small limit is never leased ahead, a busy large one is, and not near its end`() {
        let small = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 120)
        var rig = Rig([small], nodes: 2)
        for step in 0..<100 as Range<Int64> {
            #expect(rig.pass([small], at: at(step * 5)) != nil)
            #expect(rig.orders.isEmpty)
        }
        #expect(rig.asked == 100)
        let large = RateLimit(subject: team, dimension: .requestsPerMinute, limit: 60_000)
        rig = Rig([large], nodes: 2)
        for step in 0..<10_000 as Range<Int64> {
            #expect(rig.pass([large], at: at(step)) != nil)
            if !rig.orders.isEmpty { rig.answer(at: at(step)) }
        }
        // 10,000 requests in ten seconds.
        #expect(rig.asked < 60, "\(rig.asked)")
        rig = Rig([large], nodes: 2)
        rig.book.liveNodes = 20
        for step in 0..<30_000 as Range<Int64> {
            _ = rig.pass([large], at: Uptime(microseconds: step * 100))
            for order in rig.orders { #expect(order.want <= 60_000 / 40) }
            if !rig.orders.isEmpty { rig.answer(at: Uptime(microseconds: step * 100)) }
        }
    }

    @Test func `cells die after a second, counted from before the ledger was asked`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 600)
        var rig = Rig([limit])
        let ticket = rig.pass([limit], at: at(0))
        guard let ticket else {
            Issue.record("denied")
            return
        }
        // Its cell is back in the node's hand.
        rig.book.undo(ticket, at: at(0))
        #expect(isPassed(rig.admit([limit], at: at(999)).1))
        rig = Rig([limit])
        let other = rig.pass([limit], at: at(0))
        if let other { rig.book.undo(other, at: at(0)) }
        #expect(rig.admit([limit], at: at(1000)).1 == .waiting)
    }

    @Test func `requests that a quota refuses do not lease a cell each`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 60)
        var rig = Rig([limit])
        for millisecond in 0..<900 as Range<Int64> {
            guard let ticket = rig.pass([limit], at: at(millisecond)) else {
                Issue.record("denied")
                return
            }
            rig.book.undo(ticket, at: at(millisecond))
        }
        #expect(rig.asked == 1)
        #expect(rig.book.standing(of: limit, at: at(900))?.remaining == 60)
    }

    @Test func `tokens that were not used are credited, at the latest by the next tidying`() {
        let limit = RateLimit(subject: key, dimension: .tokensPerMinute, limit: 100)
        var rig = Rig([limit])
        guard let ticket = rig.pass([limit], tokens: 90, at: at(0)) else { return }
        #expect(rig.book.standing(of: limit, at: at(0))?.remaining == 10)
        rig.book.finish(ticket, used: 30, at: at(0))
        #expect(rig.book.standing(of: limit, at: at(0))?.remaining == 70)
        // A request that needs the credit takes it along.
        #expect(rig.pass([limit], tokens: 70, at: at(1)) != nil)
        guard let second = rig.pass([limit], tokens: 1, at: at(700)) else { return }
        rig.book.finish(second, used: 0, at: at(700))
        rig.tick(at: at(1100))
        #expect(rig.orders.map(\.credit) == [1])
    }

    @Test func `a place comes free when a request ends, and a refused one held none`() {
        let limits = [
            RateLimit(subject: key, dimension: .concurrentRequests, limit: 1),
            RateLimit(subject: key, dimension: .requestsPerMinute, limit: 100),
        ]
        var rig = Rig(limits)
        guard let ticket = rig.pass(limits, at: at(0)) else { return }
        #expect(
            denial(rig.admit(limits, at: at(0)).1)?.reason == .rateLimited(.concurrentRequests))
        rig.book.undo(ticket, at: at(0))
        #expect(rig.pass(limits, at: at(1)) != nil)
    }

    @Test func `while the ledger is away a node passes its part of the limit and waits for nobody`()
    {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 90)
        var rig = Rig([limit], nodes: 3)
        let (id, _) = rig.admit([limit], at: at(0))
        rig.fail(at: at(5))
        #expect(rig.effects.passed[id] != nil)
        var passed = 1
        for _ in 0..<100 {
            let (_, decision) = rig.admit([limit], at: at(10))
            #expect(decision != .waiting)
            if isPassed(decision) { passed += 1 }
        }
        #expect(passed == 30)
        // A part refills at its own pace: one in two seconds.
        #expect(denial(rig.admit([limit], at: at(1900)).1) != nil)
        #expect(isPassed(rig.admit([limit], at: at(2010)).1))
        // The ledger is asked once a second whether it is back, and then told what was passed.
        rig.tick(at: at(2100))
        #expect(rig.orders.map(\.credit) == [-30])
        rig.answer(at: at(2101))
        #expect(!rig.book.isAway)
        #expect(rig.book.standing(of: limit, at: at(2101))?.remaining == 60)
    }

    @Test func `a node that knows its ledger away lets nobody wait and asks nothing`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 90)
        var rig = Rig([limit], nodes: 3)
        rig.book.goAway(at: at(0), &rig.effects)
        for _ in 0..<30 { #expect(isPassed(rig.admit([limit], at: at(0)).1)) }
        #expect(denial(rig.admit([limit], at: at(0)).1) != nil)
        #expect(rig.asked == 0)
    }

    @Test func `a ledger that does not answer is given up once patience ends`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 9)
        var rig = Rig([limit], nodes: 3)
        let (id, _) = rig.admit([limit], at: at(0))
        rig.tick(at: at(1000))
        #expect(rig.effects.passed.isEmpty)
        rig.tick(at: at(1001))
        #expect(rig.effects.passed[id] != nil)
        #expect(rig.book.isAway)
    }

    @Test func `a request larger than a node's part passes once nothing of the part is used`() {
        let limit = RateLimit(subject: key, dimension: .tokensPerMinute, limit: 100)
        var rig = Rig([limit], nodes: 4)
        _ = rig.admit([limit], tokens: 80, at: at(0))
        rig.fail(at: at(1))
        #expect(rig.effects.passed.count == 1)
        guard let wait = denial(rig.admit([limit], tokens: 80, at: at(2)).1)?.retryAfter else {
            Issue.record("passed")
            return
        }
        #expect(wait > .seconds(180) && wait < .seconds(200))
        #expect(isPassed(rig.admit([limit], tokens: 80, at: at(2) + wait).1))
    }

    @Test func `a changed limit counts what was used under the old one`() {
        let old = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 10)
        var rig = Rig([old])
        for _ in 0..<10 { #expect(rig.pass([old], at: at(0)) != nil) }
        #expect(rig.pass([old], at: at(1)) == nil)
        let new = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 25)
        rig.set(new)
        for _ in 0..<15 { #expect(rig.pass([new], at: at(2)) != nil) }
        #expect(rig.pass([new], at: at(3)) == nil)
    }

    @Test func `a limit that is gone at the ledger holds nobody up`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 1)
        var rig = Rig([])
        for step in 0..<50 as Range<Int64> { #expect(rig.pass([limit], at: at(step)) != nil) }
        #expect(rig.asked == 1)
    }

    @Test func `the line is bounded`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 100_000)
        var rig = Rig([limit])
        for _ in 0..<RateBook.maximumWaiters {
            #expect(rig.admit([limit], at: at(0)).1 == .waiting)
        }
        #expect(rig.admit([limit], at: at(0)).1 == .overloaded)
    }

    @Test func `a client that leaves the line takes nothing`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 3)
        var rig = Rig([limit])
        let (id, _) = rig.admit([limit], at: at(0))
        let hasLeft = rig.book.leave(id)
        #expect(hasLeft)
        rig.answer(at: at(1))
        #expect(rig.effects.passed.isEmpty)
        // The cell it had ordered serves the next.
        #expect(isPassed(rig.admit([limit], at: at(2)).1))
        let leavesTwice = rig.book.leave(id)
        #expect(!leavesTwice)
    }

    @Test func `an idle bucket is forgotten once it is whole again`() {
        let limit = RateLimit(subject: key, dimension: .requestsPerMinute, limit: 60)
        var rig = Rig([limit])
        _ = rig.pass([limit], at: at(0))
        rig.tick(at: at(10_000))
        #expect(
            rig.book.standing(of: limit, at: at(10_000))
                == Standing.Line(limit: 60, remaining: 60, reset: .zero))
        #expect(rig.admit([limit], at: at(10_000)).1 == .waiting)
    }
}
