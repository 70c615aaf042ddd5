import Domain
import Testing

/// What a node gives back, when, and what it takes meanwhile.
@Suite struct LeaseBookRecallTests {
    @Test func `a recall between the first grant and the first beat is heard as one`() {
        var test = BookUnderTest(holding: 500, remaining: 500, generation: 7)
        #expect(test.beat(at: 1_000, generation: 8) == [.giveBack(units: 500, forget: false)])
    }

    @Test func `generations of before the first grant recall nothing`() {
        var test = BookUnderTest(holding: 500, remaining: 500, generation: 7)
        #expect(test.beat(at: 1_000, generation: 7) == [])
    }

    @Test func `a recall that meets an order in flight is followed when its answer comes`() throws {
        var test = BookUnderTest(holding: 500, remaining: 500, generation: 7)
        #expect(test.ask(1, for: 600, at: 990) == .waiting)
        let order = try #require(test.orders.first)
        test.orders = []
        #expect(test.beat(at: 1_000, generation: 8) == [])
        test.reply(.granted(test.id, size: 800, remaining: 200), to: order, at: 1_010)
        #expect(test.admitted[BookUnderTest.request(1)]?.first?.units == 600)
        #expect(test.orders.map(\.action) == [.giveBack(units: 200, forget: false)])
    }

    @Test func `who needs no more than is on its way back waits for it and is not refused`() {
        var test = BookUnderTest(holding: 300, remaining: 0, generation: 7)
        #expect(test.ask(1, for: 400, at: 990) == .waiting)
        test.reply(
            .refused(test.id, AccountStatus(limit: 1_000, used: 700, reserved: 0, remaining: 0)),
            at: 995)
        #expect(test.denied.count == 1)
        #expect(test.beat(at: 1_000, generation: 8) == [.giveBack(units: 300, forget: false)])
        // More than there is anywhere is refused at once, by the answer of a moment ago.
        guard case .denied = test.ask(2, for: 301, at: 1_001) else {
            Issue.record("not denied")
            return
        }
        #expect(test.ask(3, for: 87, at: 1_002) == .waiting)
        test.reply(.returned(size: 0, remaining: 300), at: 1_003)
        #expect(test.orders.map(\.action) == [.grow(want: 87, least: 87)])
        test.reply(.granted(test.id, size: 87, remaining: 213, generation: 8), at: 1_004)
        #expect(test.admitted[BookUnderTest.request(3)]?.first?.units == 87)
    }

    @Test func `for three seconds after a recall nothing is held beyond need`() throws {
        var test = BookUnderTest(holding: 500, remaining: 9_500, limit: 10_000, generation: 7)
        #expect(test.beat(at: 1_000, generation: 8) == [.giveBack(units: 500, forget: false)])
        test.reply(.returned(size: 0, remaining: 10_000), at: 1_001)
        // A burst, of which one would otherwise expect more.
        for number in 1...20 { _ = test.ask(number, for: 10, at: 1_100) }
        var order = try #require(test.orders.first)
        #expect(order.action == .grow(want: 10, least: 10))
        test.reply(.granted(test.id, size: 10, remaining: 9_990), at: 1_102)
        order = try #require(test.orders.first)
        #expect(order.action == .grow(want: 190, least: 10))
        test.reply(.granted(test.id, size: 200, remaining: 9_800), at: 1_104)
        #expect(test.admitted.count == 20 && test.orders.isEmpty)
        // What a request did not use is not kept either.
        test.settle(1, charged: 4, at: 1_900)
        #expect(test.beat(at: 2_000, generation: 8) == [.giveBack(units: 6, forget: false)])
        test.reply(.returned(size: 194, remaining: 9_806), at: 2_001)
        // Three seconds later the node looks ahead again.
        test.settle(2, charged: 4, at: 4_100)
        guard case .admitted = test.ask(30, for: 6, at: 4_101) else {
            Issue.record("not admitted")
            return
        }
        guard case .grow(let want, 1)? = test.orders.first?.action else {
            Issue.record("no look ahead: \(test.orders)")
            return
        }
        #expect(want >= 6)
    }

    @Test func `a lease shrinks to its target on three beats although requests trickle in`() throws
    {
        var test = BookUnderTest(holding: 5_000, remaining: 1_000, limit: 6_000, generation: 1)
        for beat in 1...2 as ClosedRange<Int64> {
            test.trickle(number: Int(beat), at: beat * 1_000 - 5)
            #expect(test.beat(at: beat * 1_000, generation: 1) == [])
        }
        test.trickle(number: 3, at: 2_995)
        let action = try #require(test.beat(at: 3_000, generation: 1).first)
        guard case .giveBack(let units, forget: false) = action else {
            Issue.record("not a return: \(action)")
            return
        }
        // What such requests need stays.
        #expect(units >= 4_900 && units < 5_000)
    }

    @Test func `demand fades by itself, so that a burst does not keep units behind a long stream`()
        throws
    {
        var test = BookUnderTest(holding: 5_000, remaining: 1_000, limit: 6_000, generation: 1)
        for number in 1...20 { _ = test.ask(number, for: 100, at: 100) }
        for number in 2...20 { test.settle(number, charged: 0, at: 200) }
        test.orders = []
        let given = (1...6).flatMap { test.beat(at: $0 * 1_000, generation: 1) }
        guard case .giveBack(let units, forget: false)? = given.first else {
            Issue.record("nothing is given back: \(given)")
            return
        }
        #expect(units >= 4_700)
    }

    @Test func `a lull of seconds does not give away what a quota that rides needs in an outage`() {
        var test = BookUnderTest(
            holding: 50_000, remaining: 950_000, limit: 1_000_000, generation: 1)
        test.rides = true
        for number in 1...20 { _ = test.ask(number, for: 100, at: 100) }
        #expect(test.orders.isEmpty)
        for beat in 1...5 as ClosedRange<Int64> {
            #expect(test.beat(at: beat * 1_000, generation: 1) == [])
        }
        // A recall goes before it: others are refused now, and there is no outage.
        #expect(
            test.beat(at: 6_000, generation: 2) == [.giveBack(units: 48_000, forget: false)])
    }

    @Test func `after ten idle seconds what is free goes back while a stream is still open`() {
        var test = BookUnderTest(holding: 500, remaining: 0, generation: 1)
        _ = test.ask(1, for: 400, at: 100)
        test.orders = []
        #expect(
            test.beat(at: 10_200, generation: 1) == [.giveBack(units: 100, forget: false)])
        test.reply(.returned(size: 400, remaining: 100), at: 10_201)
        #expect(test.beat(at: 11_200, generation: 1) == [])
        test.settle(1, charged: 300, at: 11_300)
        #expect(test.beat(at: 12_200, generation: 1) == [.giveBack(units: 100, forget: true)])
    }

    @Test func `a raised limit is asked for at once, whatever was refused a moment ago`() throws {
        var test = BookUnderTest(holding: 0, remaining: 0, limit: 100, generation: 1)
        _ = test.ask(1, for: 50, at: 100)
        test.reply(
            .refused(test.id, AccountStatus(limit: 100, used: 100, reserved: 0, remaining: 0)),
            at: 101)
        #expect(test.denied[BookUnderTest.request(1)]?.reason == .quotaExhausted)
        #expect(test.ask(2, for: 50, at: 110, limit: 200) == .waiting)
        let order = try #require(test.orders.first)
        #expect(order.refreshesLimit && order.limit == 200)
        test.reply(.granted(test.id, size: 50, remaining: 50), at: 112)
        #expect(test.admitted.keys.contains(BookUnderTest.request(2)))
    }
}

/// What becomes of orders whose answers are lost, and of those who stand in line.
@Suite struct LeaseBookLineTests {
    @Test(arguments: [true, false])
    func `a lost return is cleared up by a look, whether it happened or not`(happened: Bool) {
        var test = BookUnderTest(holding: 500, remaining: 500, generation: 1)
        #expect(test.beat(at: 1_000, generation: 2) == [.giveBack(units: 500, forget: false)])
        test.reply(.unknown, at: 1_100)
        // Meanwhile nothing is spent that may be gone.
        #expect(test.ask(1, for: 400, at: 1_200) == .waiting)
        #expect(test.orders.map(\.action) == [.look])
        test.reply(
            .found(test.id, size: happened ? 0 : 500, remaining: happened ? 1_000 : 500), at: 1_201)
        if happened {
            #expect(test.orders.map(\.action) == [.grow(want: 400, least: 400)])
            test.reply(.granted(test.id, size: 400, remaining: 600), at: 1_202)
        }
        #expect(test.admitted[BookUnderTest.request(1)]?.first?.units == 400)
        #expect(test.book.remaining(of: BookUnderTest.account) == 600)
    }

    @Test func `a lost grant is found by a look and spent`() throws {
        var test = BookUnderTest(holding: 0, remaining: 1_000, generation: 1)
        _ = test.ask(1, for: 400, at: 100)
        test.reply(.unknown, at: 1_100)
        #expect(test.failed == [BookUnderTest.request(1)])
        #expect(test.beat(at: 2_000, generation: 1) == [.look])
        test.reply(.found(test.id, size: 400, remaining: 600), at: 2_001)
        guard case .admitted = test.ask(2, for: 400, at: 2_100) else {
            Issue.record("not admitted")
            return
        }
    }

    @Test func `a first lease that was never made is made by the next order`() {
        var test = BookUnderTest(account: nil)
        _ = test.ask(1, for: 400, at: 0)
        test.reply(.unknown, at: 1_000)
        #expect(test.ask(2, for: 400, at: 1_100) == .waiting)
        test.reply(.found(nil, size: 0, remaining: 0), at: 1_101)
        #expect(test.orders.map(\.action) == [.grow(want: 400, least: 400)])
    }

    @Test func `who is overtaken while it waits elsewhere is told so and does not wait for ever`()
        throws
    {
        var test = BookUnderTest(holding: 60, remaining: 0, generation: 1)
        _ = test.ask(1, for: 200, at: 100)
        test.reply(
            .refused(test.id, AccountStatus(limit: 1_000, used: 0, reserved: 940, remaining: 0)),
            at: 105)
        // Waits for its other account only, and so holds up nobody here.
        #expect(test.ask(2, for: 50, at: 110, also: 10) == .waiting)
        guard case .admitted = test.ask(3, for: 20, at: 120) else {
            Issue.record("held up by a request that waits elsewhere")
            return
        }
        let other = try #require(test.orders.first)
        #expect(test.orders.count == 1 && other.account == BookUnderTest.other)
        test.reply(.granted(AccountID(rawValue: 2), size: 10, remaining: 0), at: 130)
        // What the third one left is too little for the second, and the ledger has no more.
        #expect(test.denied[BookUnderTest.request(2)]?.reason == .quotaReserved)
        #expect(test.book.waitingCount == 0)
    }

    @Test func `what this node gave back itself can be had again at once`() {
        var test = BookUnderTest(holding: 60, remaining: 0, generation: 1)
        _ = test.ask(1, for: 200, at: 990)
        test.reply(
            .refused(test.id, AccountStatus(limit: 1_000, used: 0, reserved: 940, remaining: 0)),
            at: 995)
        #expect(test.beat(at: 1_000, generation: 2) == [.giveBack(units: 60, forget: false)])
        test.reply(.returned(size: 0, remaining: 260), at: 1_005)
        #expect(test.ask(2, for: 200, at: 1_006) == .waiting)
    }

    @Test func `small requests do not overtake a big one that stands in line`() throws {
        var test = BookUnderTest(holding: 100, remaining: 900, generation: 1)
        #expect(test.ask(1, for: 600, at: 100) == .waiting)
        for number in 2...10 { #expect(test.ask(number, for: 20, at: 101) == .waiting) }
        // Not enough for it, though for them.
        test.reply(.granted(test.id, size: 500, remaining: 500), at: 102)
        #expect(test.admitted.isEmpty)
        test.reply(.granted(test.id, size: 600, remaining: 400), at: 103)
        #expect(Array(test.admitted.keys) == [BookUnderTest.request(1)])
        #expect(test.orders.map(\.action) == [.grow(want: 180, least: 20)])
    }

    @Test func `a flood on an exhausted quota asks the ledger ten times a second at most`() throws {
        var test = BookUnderTest(holding: 0, remaining: 0, generation: 1)
        var asked = 0
        for millisecond in 0..<1_000 as Range<Int64> {
            for number in 0..<8 {
                _ = test.ask(Int(millisecond) * 8 + number, for: 50, at: 100 + millisecond)
            }
            guard !test.orders.isEmpty else { continue }
            asked += test.orders.count
            test.reply(
                .refused(
                    test.id, AccountStatus(limit: 1_000, used: 1_000, reserved: 0, remaining: 0)),
                at: 101 + millisecond)
        }
        #expect(asked <= 10 && asked >= 9)
        #expect(test.denied.count >= 9 && test.book.waitingCount == 0)
    }
}

/// One account's lease in a book, and what came of it.
struct BookUnderTest {
    static let account = AccountKey(
        subject: Subject(kind: .key, id: 7), resource: .tokens, period: .day,
        start: CalendarDay(rawValue: 20_000))
    static let other = AccountKey(
        subject: Subject(kind: .key, id: 8), resource: .requests, period: .day,
        start: CalendarDay(rawValue: 20_000))
    static func request(_ number: Int) -> RequestID { RequestID(rawValue: UInt128(number)) }

    let id = AccountID(rawValue: 1)
    var book = LeaseBook { LeaseID(rawValue: 42) }
    var orders: [LeaseOrder] = []
    var admitted: [RequestID: Claims] = [:]
    var denied: [RequestID: Denial] = [:]
    var failed: [RequestID] = []
    /// Whether the quota rides out outages.
    var rides = false
    private let limit: Int64

    init(account: AccountID?, limit: Int64 = 1_000) { self.limit = limit }

    /// A book with a lease of `units` at time zero.
    init(holding units: Int64, remaining: Int64, limit: Int64 = 1_000, generation: Int64) {
        self.limit = limit
        _ = ask(0, for: 1, at: 0)
        reply(
            .granted(id, size: max(1, units), remaining: remaining, generation: generation), at: 0)
        settle(0, charged: 0, at: 0)
        if units == 0 {
            var effects = LeaseBook.Effects()
            book.drain(&effects)
            orders = effects.orders
            reply(.returned(size: 0, remaining: remaining), at: 0)
            orders = []
        }
    }

    mutating func ask(
        _ number: Int, for units: Int64, at millisecond: Int64, also more: Int64? = nil,
        limit: Int64? = nil
    ) -> LeaseBook.Decision {
        let limit = limit ?? self.limit
        var demands = [
            LeaseBook.Demand(account: Self.account, limit: limit, units: units, rides: rides)
        ]
        if let more {
            demands.append(
                LeaseBook.Demand(account: Self.other, limit: limit, units: more, rides: rides))
        }
        var effects = LeaseBook.Effects()
        let decision = book.request(
            Self.request(number), demands, at: Uptime(microseconds: millisecond * 1_000), &effects)
        switch decision {
        case .admitted(let claims): admitted[Self.request(number)] = claims
        case .denied(let denial): denied[Self.request(number)] = denial
        case .waiting: break
        }
        note(effects)
        return decision
    }

    /// Answers the only order in flight.
    mutating func reply(_ reply: LeaseReply, at millisecond: Int64) {
        guard let order = orders.first else {
            Issue.record("no order waits for \(reply)")
            return
        }
        orders.removeFirst()
        self.reply(reply, to: order, at: millisecond)
    }

    mutating func reply(_ reply: LeaseReply, to order: LeaseOrder, at millisecond: Int64) {
        var effects = LeaseBook.Effects()
        book.replied(
            reply, to: order, at: Uptime(microseconds: millisecond * 1_000), &effects)
        note(effects)
    }

    mutating func settle(_ number: Int, charged: Int64, at millisecond: Int64) {
        guard let claims = admitted.removeValue(forKey: Self.request(number)) else {
            Issue.record("request \(number) is not open")
            return
        }
        var effects = LeaseBook.Effects()
        let charge = Charge(
            Settlement(
                usage: TokenUsage(prompt: charged, completion: 0), basis: .reported,
                endState: .finished, timeToFirstToken: nil, duration: .zero),
            bound: TokenBound(prompt: max(1, charged), completion: 1), price: nil)
        book.settled(
            claims, charge: charge, at: Uptime(microseconds: millisecond * 1_000), &effects)
        note(effects)
    }

    /// One short request.
    mutating func trickle(number: Int, at millisecond: Int64) {
        _ = ask(number, for: 10, at: millisecond)
        settle(number, charged: 0, at: millisecond)
    }

    /// A heartbeat, and what it orders.
    mutating func beat(at millisecond: Int64, generation: Int64) -> [LeaseOrder.Action] {
        let now = Uptime(microseconds: millisecond * 1_000)
        var effects = LeaseBook.Effects()
        book.recalled([id: generation], at: now)
        book.maintain(at: now, &effects)
        note(effects)
        return effects.orders.map(\.action)
    }

    private mutating func note(_ effects: LeaseBook.Effects) {
        orders += effects.orders
        admitted.merge(effects.admitted) { _, new in new }
        denied.merge(effects.denied) { _, new in new }
        failed += effects.failed
    }
}
