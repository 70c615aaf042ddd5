import Domain
import TestSupport
import Testing

private func key(_ number: Int64) -> AccountKey {
    AccountKey(
        subject: Subject(kind: .key, id: number), resource: .tokens, period: .day,
        start: CalendarDay(rawValue: 20_000))
}
private let organization = AccountKey(
    subject: Subject(kind: .organization, id: 1), resource: .tokens, period: .total,
    start: CalendarDay(rawValue: 0))

private func at(_ milliseconds: Int64) -> Uptime { Uptime(microseconds: milliseconds * 1000) }
private func id(_ number: Int) -> RequestID { RequestID(rawValue: UInt128(number)) }
private func demand(_ units: Int64, of account: AccountKey) -> LeaseBook.Demand {
    LeaseBook.Demand(account: account, limit: 1_000_000, units: units)
}
private func makeBook() -> LeaseBook { LeaseBook { LeaseID(rawValue: 42) } }

/// Who waits behind whom, where requests share some of their accounts.
@Suite struct LeaseLineTests {
    /// Answers every order for `account` with a lease of `size`.
    private func grant(
        _ size: Int64, of account: AccountKey, _ book: inout LeaseBook,
        _ effects: inout LeaseBook.Effects, remaining: Int64 = 1_000_000
    ) throws {
        let index = try #require(effects.orders.firstIndex { $0.account == account })
        let order = effects.orders.remove(at: index)
        book.replied(
            .granted(AccountID(rawValue: account.subject.id), size: size, remaining: remaining),
            to: order, at: at(1), &effects)
    }

    @Test func `a request that waits for its own key does not hold up another key`() throws {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        let warm = [demand(10, of: key(2)), demand(10, of: organization)]
        _ = book.request(id(1), warm, at: at(0), &effects)
        try grant(1000, of: key(2), &book, &effects)
        try grant(1000, of: organization, &book, &effects)
        #expect(effects.admitted[id(1)] != nil)
        let cold = [demand(10, of: key(3)), demand(10, of: organization)]
        #expect(book.request(id(2), cold, at: at(2), &effects) == .waiting)
        guard case .admitted = book.request(id(3), warm, at: at(2), &effects) else {
            Issue.record("held up by a request of another key")
            return
        }
    }

    @Test func `at an account that is short nobody is overtaken`() throws {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        _ = book.request(id(1), [demand(10, of: organization)], at: at(0), &effects)
        try grant(50, of: organization, &book, &effects, remaining: 30)
        // 40 are free: the first wants more, the second would fit.
        #expect(
            book.request(id(2), [demand(60, of: organization)], at: at(2), &effects) == .waiting)
        #expect(
            book.request(id(3), [demand(20, of: organization)], at: at(2), &effects) == .waiting)
        try grant(70, of: organization, &book, &effects, remaining: 10)
        #expect(effects.admitted[id(2)] != nil && effects.admitted[id(3)] == nil)
    }

    @Test func `who moves to another account stands there before all that came later`() throws {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        _ = book.request(id(1), [demand(10, of: organization)], at: at(0), &effects)
        try grant(50, of: organization, &book, &effects, remaining: 1000)
        // Lacks its key, and then the organization, where another has come to stand meanwhile.
        _ = book.request(
            id(2), [demand(10, of: key(2)), demand(60, of: organization)], at: at(2), &effects)
        _ = book.request(id(3), [demand(61, of: organization)], at: at(2), &effects)
        try grant(100, of: key(2), &book, &effects)
        try grant(120, of: organization, &book, &effects, remaining: 100)
        #expect(effects.admitted[id(2)] != nil && effects.admitted[id(3)] == nil)
    }

    @Test func `when the first in line leaves, the next event serves whoever stood behind it`()
        throws
    {
        var book = makeBook()
        var effects = LeaseBook.Effects()
        _ = book.request(id(1), [demand(10, of: organization)], at: at(0), &effects)
        try grant(50, of: organization, &book, &effects, remaining: 1000)
        _ = book.request(id(2), [demand(60, of: organization)], at: at(2), &effects)
        _ = book.request(id(3), [demand(20, of: organization)], at: at(2), &effects)
        let leaves = book.leave(id(2))
        let leavesAgain = book.leave(id(2))
        #expect(leaves && !leavesAgain)
        book.maintain(at: at(3), &effects)
        #expect(effects.admitted[id(3)]?.map(\.units) == [20])
        #expect(book.waitingCount == 0)
    }

    @Test func `a quiet key of a strict quota does not ask the ledger before each request`() throws
    {
        var book = makeBook()
        var ledger = ModelLedger(limit: 1_000_000)
        var orders = 0
        for number in 1...50 {
            let now = Uptime(microseconds: Int64(number) * 3_000_000)
            var effects = LeaseBook.Effects()
            var claims: Claims?
            if case .admitted(let had) = book.request(
                id(number),
                [LeaseBook.Demand(account: key(2), limit: 1_000_000, units: 200, rides: false)],
                at: now, &effects)
            {
                claims = had
            }
            while let order = effects.orders.popLast() {
                orders += 1
                book.replied(ledger.answer(order), to: order, at: now, &effects)
            }
            let charge = Charge(
                Settlement(
                    usage: TokenUsage(prompt: 100, completion: 50), basis: .reported,
                    endState: .finished, timeToFirstToken: nil, duration: .zero),
                bound: TokenBound(prompt: 100, completion: 100), price: nil)
            let had = try #require(claims ?? effects.admitted[id(number)])
            book.settled(had, charge: charge, at: now, &effects)
        }
        #expect(orders <= 3)
    }

    @Test(arguments: 0..<500 as Range<UInt64>)
    func `whoever waits gets an answer once all orders are answered and all requests settled`(
        seed: UInt64
    ) throws {
        var history = LineHistory(seed: seed)
        for _ in 0..<150 { history.step() }
        history.settleEverything()
        #expect(history.book.waitingCount == 0, "seed \(seed)")
        #expect(history.unanswered.isEmpty, "seed \(seed)")
        #expect(history.answeredTwice == 0, "seed \(seed)")
    }
}

/// Random requests over a few accounts that they share in part.
private struct LineHistory {
    var book = makeBook()
    var unanswered: Set<RequestID> = []
    var answeredTwice = 0
    private var random: SplitMix
    private var ledgers: [AccountKey: ModelLedger] = [:]
    private var orders: [LeaseOrder] = []
    private var claims: [Claims] = []
    private var now: Int64 = 0
    private var last = 0
    private let accounts = [key(2), key(3), key(4), organization]
    private static let limit: Int64 = 3000

    init(seed: UInt64) { random = SplitMix(seed: seed) }

    mutating func step() {
        now += Int64(random.below(30))
        var effects = LeaseBook.Effects()
        switch random.below(10) {
        case 0..<5: request(&effects)
        case 5..<7: reply(&effects)
        case 7..<9: settle(&effects)
        default:
            if random.below(2) == 0 { book.maintain(at: at(now), &effects) } else { leave() }
        }
        note(effects)
    }

    /// Answers and settles until nothing is left to be answered or settled.
    mutating func settleEverything() {
        var rounds = 0
        while !orders.isEmpty || !claims.isEmpty || !unanswered.isEmpty, rounds < 2000 {
            rounds += 1
            now += 200
            var effects = LeaseBook.Effects()
            if !orders.isEmpty {
                reply(&effects)
            } else if !claims.isEmpty {
                settle(&effects)
            } else {
                book.maintain(at: at(now), &effects)
            }
            note(effects)
        }
    }

    private mutating func request(_ effects: inout LeaseBook.Effects) {
        last += 1
        let demands = accounts.filter { _ in random.below(2) == 0 }.map {
            LeaseBook.Demand(
                account: $0, limit: Self.limit, units: Int64(random.below(400)) + 1)
        }
        guard !demands.isEmpty else { return }
        switch book.request(id(last), demands, at: at(now), &effects) {
        case .admitted(let had): claims.append(had)
        case .denied: break
        case .waiting: unanswered.insert(id(last))
        }
    }

    private mutating func reply(_ effects: inout LeaseBook.Effects) {
        guard !orders.isEmpty else { return }
        let order = orders.remove(at: Int(random.below(UInt64(orders.count))))
        let answer =
            random.below(12) == 0
            ? .failed
            : ledgers[order.account, default: ModelLedger(limit: Self.limit)].answer(order)
        book.replied(answer, to: order, at: at(now), &effects)
    }

    private mutating func settle(_ effects: inout LeaseBook.Effects) {
        guard !claims.isEmpty else { return }
        let settled = claims.remove(at: Int(random.below(UInt64(claims.count))))
        book.settled(settled, charge: nil, at: at(now), &effects)
    }

    private mutating func leave() {
        guard let one = unanswered.min(by: { $0.rawValue < $1.rawValue }) else { return }
        if book.leave(one) { unanswered.remove(one) }
    }

    private mutating func note(_ effects: LeaseBook.Effects) {
        orders += effects.orders
        for (id, had) in effects.admitted {
            if unanswered.remove(id) == nil { answeredTwice += 1 }
            claims.append(had)
        }
        for id in Array(effects.denied.keys) + effects.failed where unanswered.remove(id) == nil {
            answeredTwice += 1
        }
    }
}
