import Domain
import Testing

/// A day's token quota of one key, and a book with counted lease ids.
private let account = AccountKey(
    subject: Subject(kind: .key, id: 7), resource: .tokens, period: .day,
    start: CalendarDay(rawValue: 20_000))
private let monthly = AccountKey(
    subject: Subject(kind: .team, id: 8), resource: .tokens, period: .month,
    start: CalendarDay(rawValue: 19_990))

private func at(_ milliseconds: Int64) -> Uptime { Uptime(microseconds: milliseconds * 1000) }
private func id(_ number: Int) -> RequestID { RequestID(rawValue: UInt128(number)) }
private func demand(_ units: Int64, of account: AccountKey = account, limit: Int64 = 1000)
    -> LeaseBook.Demand
{
    LeaseBook.Demand(account: account, limit: limit, units: units)
}
private func makeBook() -> LeaseBook { LeaseBook { LeaseID(rawValue: 42) } }

private func takeLast(_ effects: inout LeaseBook.Effects) -> LeaseOrder? {
    effects.orders.popLast()
}

@Suite struct LeaseBookTests {
    /// A book whose account has a lease of `units` and `remaining` more to be had.
    private func book(holding units: Int64, remaining: Int64, limit: Int64 = 1000) throws
        -> LeaseBook
    {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        _ = book.request(id(0), [demand(1, limit: limit)], at: at(0), &effects)
        let order = try #require(effects.orders.first)
        book.replied(
            .granted(AccountID(rawValue: 1), size: units, remaining: remaining), to: order,
            at: at(1), &effects)
        let claims = try #require(effects.admitted[id(0)])
        book.settled(claims, charge: nil, at: at(1), &effects)
        return book
    }

    @Test func `the first request of an account orders a lease and waits for it`() throws {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        #expect(book.request(id(1), [demand(100)], at: at(0), &effects) == .waiting)
        let order = try #require(effects.orders.first)
        #expect(effects.orders.count == 1)
        guard case .grow(let want, let least) = order.action else {
            Issue.record("not a grow: \(order)")
            return
        }
        #expect(want >= 100 && least == 100)
        var after = LeaseBook.Effects()
        book.replied(
            .granted(AccountID(rawValue: 9), size: 100, remaining: 900), to: order, at: at(2),
            &after)
        let claims = try #require(after.admitted[id(1)])
        #expect(claims.map(\.units) == [100])
        #expect(claims.first?.accountID == AccountID(rawValue: 9))
    }

    @Test func `a request within the lease is admitted at once`() throws {
        var book = try book(holding: 500, remaining: 0)
        var effects = LeaseBook.Effects()
        guard case .admitted(let claims) = book.request(id(1), [demand(400)], at: at(5), &effects)
        else {
            Issue.record("not admitted")
            return
        }
        #expect(claims.map(\.units) == [400])
    }

    @Test func `a request takes of all its accounts or of none`() throws {
        var book = try book(holding: 500, remaining: 0)
        var effects = LeaseBook.Effects()
        let decision = book.request(
            id(1), [demand(100), demand(100, of: monthly)], at: at(5), &effects)
        #expect(decision == .waiting)
        // The first account is untouched while the second is being asked for.
        #expect(book.remaining(of: account) == 500)
        let order = try #require(effects.orders.first { $0.account == monthly })
        var after = LeaseBook.Effects()
        book.replied(
            .refused(
                AccountID(rawValue: 2),
                AccountStatus(limit: 1000, used: 950, reserved: 0, remaining: 50)),
            to: order, at: at(6), &after)
        #expect(after.denied[id(1)]?.reason == .quotaExhausted)
        #expect(after.denied[id(1)]?.subject == monthly.subject)
        #expect(book.remaining(of: account) == 500)
    }

    @Test func `one order per account is in flight however many wait`() throws {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        for number in 1...64 {
            #expect(
                book.request(id(number), [demand(100, limit: 1000)], at: at(0), &effects)
                    == .waiting)
        }
        #expect(effects.orders.count == 1)
        #expect(book.waitingCount == 64)
    }

    @Test func `64 requests on a budget of ten: the first ten run, the others are refused`() throws
    {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        var ledger = ModelLedger(limit: 1000)
        for number in 1...64 {
            _ = book.request(id(number), [demand(100)], at: at(0), &effects)
        }
        var admitted: [RequestID: Claims] = [:]
        var denied: [RequestID: Denial] = [:]
        var steps = 0
        while let order = effects.orders.first {
            effects.orders.removeFirst()
            steps += 1
            try #require(steps < 100)
            book.replied(ledger.answer(order), to: order, at: at(Int64(steps)), &effects)
            admitted.merge(effects.admitted) { _, new in new }
            denied.merge(effects.denied) { _, new in new }
            effects.admitted = [:]
            effects.denied = [:]
        }
        #expect(Set(admitted.keys) == Set((1...10).map(id)))
        #expect(denied.count == 54)
        #expect(denied.values.allSatisfy { $0.reason == .quotaReserved && $0.retryAfter != nil })
        #expect(book.waitingCount == 0)
    }

    @Test func `what was not charged is free again for those who wait`() throws {
        var book = try book(holding: 100, remaining: 0, limit: 100)
        var effects = LeaseBook.Effects()
        guard
            case .admitted(let claims) = book.request(
                id(1), [demand(80, limit: 100)], at: at(5), &effects)
        else { return }
        #expect(book.request(id(2), [demand(60, limit: 100)], at: at(300), &effects) == .waiting)
        let charge = Charge(
            Settlement(
                usage: TokenUsage(prompt: 10, completion: 20), basis: .reported,
                endState: .finished,
                timeToFirstToken: nil, duration: .zero),
            bound: TokenBound(prompt: 40, completion: 40), price: nil)
        var after = LeaseBook.Effects()
        book.settled(claims, charge: charge, at: at(301), &after)
        #expect(after.admitted[id(2)]?.map(\.units) == [60])
    }

    @Test func `a request larger than the whole limit is refused without asking the ledger`() {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        guard case .denied(let denial) = book.request(id(1), [demand(1001)], at: at(0), &effects)
        else {
            Issue.record("not denied")
            return
        }
        #expect(denial.reason == .exceedsLimit)
        #expect(denial.limit == 1000 && denial.requested == 1001)
        #expect(effects.orders.isEmpty)
    }

    @Test func `a refusal is remembered for 100 ms and then asked anew`() throws {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        _ = book.request(id(1), [demand(100)], at: at(0), &effects)
        let orderTaken = takeLast(&effects)
        let order = try #require(orderTaken)
        book.replied(
            .refused(
                AccountID(rawValue: 1),
                AccountStatus(limit: 1000, used: 1000, reserved: 0, remaining: 0)),
            to: order, at: at(1), &effects)
        guard case .denied = book.request(id(2), [demand(100)], at: at(50), &effects) else {
            Issue.record("the refusal was forgotten")
            return
        }
        #expect(effects.orders.isEmpty)
        #expect(book.request(id(3), [demand(100)], at: at(102), &effects) == .waiting)
        #expect(effects.orders.count == 1)
    }

    @Test func `a raised limit is not held up by an old refusal`() throws {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        _ = book.request(id(1), [demand(100)], at: at(0), &effects)
        let orderTaken = takeLast(&effects)
        let order = try #require(orderTaken)
        book.replied(
            .refused(
                AccountID(rawValue: 1),
                AccountStatus(limit: 1000, used: 1000, reserved: 0, remaining: 0)),
            to: order, at: at(1), &effects)
        #expect(book.request(id(2), [demand(100, limit: 5000)], at: at(2), &effects) == .waiting)
        #expect(effects.orders.first?.refreshesLimit == true)
    }

    @Test func `an idle lease goes back whole after ten seconds`() throws {
        var book = try book(holding: 500, remaining: 500)
        var effects = LeaseBook.Effects()
        book.maintain(at: at(9_000), &effects)
        #expect(effects.orders.isEmpty)
        book.maintain(at: at(10_500), &effects)
        let order = try #require(effects.orders.first)
        #expect(order.action == .giveBack(units: 500, forget: true))
        book.replied(.returned(size: 0, remaining: 1000), to: order, at: at(10_501), &effects)
        #expect(book.isEmpty)
    }

    @Test func `a recalled lease gives back what is free`() throws {
        var book = try book(holding: 500, remaining: 500)
        var effects = LeaseBook.Effects()
        book.recalled([AccountID(rawValue: 1): 3], at: at(900))
        book.maintain(at: at(1_000), &effects)
        #expect(effects.orders.isEmpty, "the first generation heard is no recall")
        book.recalled([AccountID(rawValue: 1): 4], at: at(1_900))
        book.maintain(at: at(2_000), &effects)
        #expect(effects.orders.first?.action == .giveBack(units: 500, forget: false))
    }

    @Test func `a lease whose end got lost is not forgotten, and is ended again`() throws {
        var book = try book(holding: 500, remaining: 500)
        var effects = LeaseBook.Effects()
        book.maintain(at: at(10_500), &effects)
        let firstTaken = takeLast(&effects)
        let first = try #require(firstTaken)
        book.replied(.unknown, to: first, at: at(10_600), &effects)
        #expect(!book.isEmpty)
        book.maintain(at: at(11_500), &effects)
        let lookTaken = takeLast(&effects)
        let look = try #require(lookTaken)
        #expect(look.action == .look)
        book.replied(
            .found(AccountID(rawValue: 1), size: 500, remaining: 500), to: look, at: at(11_501),
            &effects)
        book.maintain(at: at(12_500), &effects)
        let secondTaken = takeLast(&effects)
        let second = try #require(secondTaken)
        guard case .giveBack(_, forget: true) = second.action else {
            Issue.record("not ended: \(second)")
            return
        }
        book.replied(.returned(size: 0, remaining: 1000), to: second, at: at(11_501), &effects)
        #expect(book.isEmpty)
    }

    @Test func `a line that cannot be served does not order over and over`() throws {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        _ = book.request(id(1), [demand(100), demand(10, of: monthly)], at: at(0), &effects)
        _ = book.request(id(2), [demand(950)], at: at(0), &effects)
        let orders = effects.orders
        effects.orders = []
        let day = try #require(orders.first { $0.account == account })
        book.replied(
            .granted(AccountID(rawValue: 1), size: 1000, remaining: 0), to: day, at: at(1), &effects
        )
        var steps = 0
        while let order = effects.orders.first(where: { $0.account == account }), steps < 100 {
            effects.orders = []
            steps += 1
            book.replied(
                .refused(
                    AccountID(rawValue: 1),
                    AccountStatus(limit: 1000, used: 0, reserved: 0, remaining: 0)), to: order,
                at: at(2), &effects)
        }
        #expect(steps < 3)
    }

    @Test func `limits at the end of what a number holds do not trap`() throws {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        let huge = Quota.highestLimit
        for number in 1...200 {
            _ = book.request(id(number), [demand(huge / 2, limit: huge)], at: at(0), &effects)
        }
        let order = try #require(effects.orders.first)
        book.replied(
            .granted(AccountID(rawValue: 1), size: huge, remaining: 0), to: order, at: at(1),
            &effects)
        #expect(effects.admitted.count == 2)
        _ = book.request(id(999), [demand(1, limit: 5)], at: at(2), &effects)
    }

    @Test func `claims of a lost epoch change nothing`() throws {
        var book = try book(holding: 500, remaining: 0)
        var effects = LeaseBook.Effects()
        guard case .admitted(let claims) = book.request(id(1), [demand(400)], at: at(5), &effects)
        else { return }
        book.reset(&effects)
        book.settled(claims, charge: nil, at: at(6), &effects)
        #expect(book.isEmpty)
        #expect(book.remaining(of: account) == nil)
    }

    @Test func `those in line are told when the ledger cannot answer`() throws {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        _ = book.request(id(1), [demand(100)], at: at(0), &effects)
        let orderTaken = takeLast(&effects)
        let order = try #require(orderTaken)
        book.replied(.failed, to: order, at: at(1), &effects)
        #expect(effects.failed == [id(1)])
        #expect(book.waitingCount == 0)
    }

    @Test func `a lost grant is found again in the next answer's absolute size`() throws {
        var book = try book(holding: 500, remaining: 500)
        var effects = LeaseBook.Effects()
        _ = book.request(id(1), [demand(600)], at: at(5), &effects)
        let firstTaken = takeLast(&effects)
        let first = try #require(firstTaken)
        // The ledger granted 100, the answer was lost.
        book.replied(.unknown, to: first, at: at(6), &effects)
        _ = book.request(id(2), [demand(700)], at: at(7), &effects)
        let secondTaken = takeLast(&effects)
        let second = try #require(secondTaken)
        book.replied(
            .granted(AccountID(rawValue: 1), size: 700, remaining: 300), to: second, at: at(8),
            &effects)
        #expect(effects.admitted[id(2)]?.map(\.units) == [700])
    }
}

/// The account's side of the ledger, as the database's checks enforce it.
struct ModelLedger {
    let limit: Int64
    var granted: Int64 = 0
    var used: Int64 = 0
    var lease: Int64 = 0

    init(limit: Int64) { self.limit = limit }

    mutating func answer(_ order: LeaseOrder) -> LeaseReply {
        let id = AccountID(rawValue: 1)
        switch order.action {
        case .grow(let want, let least):
            guard limit - granted >= least else {
                return .refused(
                    id,
                    AccountStatus(limit: limit, used: used, reserved: 0, remaining: limit - granted)
                )
            }
            let amount = min(want, limit - granted)
            granted += amount
            lease += amount
            return .granted(id, size: lease, remaining: limit - granted)
        case .giveBack(let units, _):
            granted -= units
            lease -= units
            return .returned(size: lease, remaining: limit - granted)
        case .look: return .found(id, size: lease, remaining: limit - granted)
        }
    }
}
