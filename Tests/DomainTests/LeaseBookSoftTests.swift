import Domain
import Testing

/// Quotas that only warn, in a node's memory: they make nobody wait for long, and refuse nothing.
@Suite struct LeaseBookSoftTests {
    private static let soft = account(.team)
    private static let hard = account(.key)
    private static let id = AccountID(rawValue: 7)

    private static func account(_ kind: Subject.Kind) -> AccountKey {
        AccountKey(
            subject: Subject(kind: kind, id: 5), resource: .tokens, period: .total,
            start: CalendarDay(rawValue: 0))
    }

    private static func at(_ milliseconds: Int64) -> Uptime {
        Uptime(microseconds: milliseconds * 1000)
    }

    private static func request(_ number: UInt64) -> RequestID {
        RequestID(at: Timestamp(microseconds: 0), random: (number, number))
    }

    private static func demand(_ units: Int64, isSoft: Bool = true) -> LeaseBook.Demand {
        LeaseBook.Demand(account: soft, limit: 100, units: units, isSoft: isSoft)
    }

    /// A book, and what it asked for last.
    private struct Test {
        var book = LeaseBook { LeaseID(rawValue: .random(in: 1 ... .max)) }
        var effects = LeaseBook.Effects()

        mutating func ask(
            _ number: UInt64, _ demands: [LeaseBook.Demand], at time: Int64
        ) -> LeaseBook.Decision {
            book.request(request(number), demands, at: LeaseBookSoftTests.at(time), &effects)
        }

        mutating func order() throws -> LeaseOrder {
            defer { effects.orders = [] }
            #expect(effects.orders.count == 1)
            return try #require(effects.orders.first)
        }

        mutating func reply(_ reply: LeaseReply, to order: LeaseOrder, at time: Int64) {
            book.replied(reply, to: order, at: LeaseBookSoftTests.at(time), &effects)
        }

        /// Serves a request that uses so much.
        mutating func settle(_ tokens: Int64) {
            guard case .admitted(let claims) = ask(9, [demand(50)], at: 9) else {
                Issue.record("not admitted")
                return
            }
            let settlement = Settlement(
                usage: TokenUsage(prompt: tokens, completion: 0), basis: .reported,
                endState: .finished, timeToFirstToken: nil, duration: .zero)
            let charge = Charge(
                settlement, bound: TokenBound(prompt: 49, completion: 1), price: nil)
            book.settled(claims, charge: charge, at: LeaseBookSoftTests.at(9), &effects)
        }

        /// Gives back what was recalled.
        mutating func recall(_ generation: Int64, at time: Int64) {
            book.recalled([id: generation], at: LeaseBookSoftTests.at(time))
            book.maintain(at: LeaseBookSoftTests.at(time), &effects)
        }

        var used: Int64? { book.used(of: soft, limit: 100) }

        /// Gives the soft account its slice.
        mutating func lease(at time: Int64) throws -> Int64 {
            let order = try order()
            guard case .grow(let want, _) = order.action else {
                Issue.record("no growth was ordered")
                return 0
            }
            reply(
                .granted(id, size: want, remaining: 1 << 60, generation: 1), to: order, at: time)
            return want
        }
    }

    private static func isAdmitted(_ decision: LeaseBook.Decision?) -> Int? {
        if case .admitted(let claims) = decision { claims.count } else { nil }
    }

    @Test func `once it has its slice it is never short, whatever the limit is`() throws {
        var test = Test()
        #expect(test.ask(1, [Self.demand(10)], at: 0) == .waiting)
        let slice = try test.lease(at: 2)
        #expect(slice > Quota.highestLimit)
        #expect(test.effects.admitted[Self.request(1)]?.count == 1)
        for number in 2..<200 {
            let units: Int64 = number == 100 ? 5_000 : 10
            let decision = test.ask(UInt64(number), [Self.demand(units)], at: Int64(number))
            #expect(Self.isAdmitted(decision) == 1)
        }
        #expect(test.effects.orders.isEmpty, "a slice lasts")
    }

    @Test func `where the ledger cannot give a slice it is passed over, and asked for later`()
        throws
    {
        var test = Test()
        #expect(test.ask(1, [Self.demand(10)], at: 0) == .waiting)
        test.reply(.failed, to: try test.order(), at: 5)
        #expect(test.effects.admitted[Self.request(1)]?.isEmpty == true)
        #expect(test.effects.failed.isEmpty && test.effects.denied.isEmpty)
        #expect(Self.isAdmitted(test.ask(2, [Self.demand(10)], at: 500)) == 0)
        #expect(test.effects.orders.isEmpty)
        #expect(test.ask(3, [Self.demand(10)], at: 1_100) == .waiting)
        _ = try test.lease(at: 1_102)
        #expect(test.effects.admitted[Self.request(3)]?.count == 1)
    }

    @Test func `who waits for it in vain goes on without it; who lacks a hard one does not`() throws
    {
        var test = Test()
        #expect(test.ask(1, [Self.demand(10)], at: 0) == .waiting)
        let hard = LeaseBook.Demand(account: Self.hard, limit: 100, units: 10)
        #expect(test.ask(2, [Self.demand(10), hard], at: 1) == .waiting)
        #expect(test.book.leaveWithoutSoft(Self.request(2), at: Self.at(1_000)) == nil)
        #expect(test.book.leaveWithoutSoft(Self.request(1), at: Self.at(1_000))?.isEmpty == true)
        #expect(test.book.leaveWithoutSoft(Self.request(1), at: Self.at(1_000)) == nil)
        #expect(test.book.waitingCount == 1)
    }

    @Test func `while the ledger is away it counts on its slice, and without one refuses nothing`()
        throws
    {
        var test = Test()
        #expect(Self.isAdmitted(test.book.ride([Self.demand(10)], at: Self.at(0))) == 0)
        #expect(test.ask(1, [Self.demand(10)], at: 0) == .waiting)
        _ = try test.lease(at: 2)
        let claims = try #require(test.effects.admitted[Self.request(1)])
        #expect(test.book.mayRide(claims))
        #expect(Self.isAdmitted(test.book.ride([Self.demand(5_000)], at: Self.at(9))) == 1)
        let hard = LeaseBook.Demand(account: Self.hard, limit: 100, units: 10)
        #expect(test.book.ride([Self.demand(10), hard], at: Self.at(10)) == nil)
    }

    @Test func `one that becomes hard spends nothing of its slice`() throws {
        var test = Test()
        #expect(test.ask(1, [Self.demand(10)], at: 0) == .waiting)
        let slice = try test.lease(at: 2)
        #expect(test.ask(2, [Self.demand(10, isSoft: false)], at: 3) == .waiting)
        let back = try test.order()
        #expect(back.action == .giveBack(units: slice - 10, forget: false))
        test.reply(.returned(size: 10, remaining: 40), to: back, at: 4)
        let order = try test.order()
        guard case .grow(let want, least: 10) = order.action else {
            Issue.record("no growth was ordered")
            return
        }
        #expect(want <= 40 && order.refreshesLimit)
        test.reply(.granted(Self.id, size: 20, remaining: 30), to: order, at: 5)
        #expect(test.effects.admitted[Self.request(2)]?.count == 1)
        #expect(test.ask(3, [Self.demand(101, isSoft: false)], at: 6) != .waiting)
    }

    @Test func `a recall brings a whole slice back, in case it is hard by now`() throws {
        var test = Test()
        #expect(test.ask(1, [Self.demand(10)], at: 0) == .waiting)
        let slice = try test.lease(at: 2)
        test.recall(2, at: 1_000)
        let back = try test.order()
        #expect(back.action == .giveBack(units: slice - 10, forget: false))
        // The ledger says that it is hard and used up, before the directory does.
        test.reply(.returned(size: 10, remaining: 0), to: back, at: 1_001)
        #expect(test.ask(2, [Self.demand(10)], at: 1_002) == .waiting)
        let status = AccountStatus(limit: 100, used: 100, reserved: 0, remaining: 0)
        test.reply(.refused(Self.id, status), to: try test.order(), at: 1_003)
        #expect(test.effects.denied[Self.request(2)]?.reason == .quotaExhausted)
    }

    @Test func `what is used is what the ledger said and what was settled here since`() throws {
        var test = Test()
        #expect(test.ask(1, [Self.demand(10)], at: 0) == .waiting)
        _ = try test.lease(at: 2)
        #expect(test.used == nil)
        test.book.beatSent()
        test.book.heardUse([Self.id: 70])
        #expect(test.used == 70)
        test.settle(20)
        #expect(test.used == 90)
        // Settled while the beat was under way: in its answer or not.
        test.book.beatSent()
        test.settle(5)
        test.book.heardUse([Self.id: 90])
        #expect(test.used == 95)
        test.book.beatSent()
        test.settle(2)
        test.book.heardUse([Self.id: 97])
        #expect(test.used == 97)
        // A correction made it less.
        test.book.beatSent()
        test.book.heardUse([Self.id: 60])
        #expect(test.used == 60)
    }

    @Test func `a key's share of what it shares is no matter of a soft quota`() {
        var shares = KeyShares(percent: 50)
        let soft = [Self.demand(90)]
        #expect(shares.refusal(of: soft, by: 1, liveNodes: 1) == nil)
        shares.take(soft, by: 1)
        #expect(shares.refusal(of: soft, by: 1, liveNodes: 1) == nil)
        #expect(
            shares.refusal(of: [Self.demand(90, isSoft: false)], by: 1, liveNodes: 1) != nil)
    }
}
