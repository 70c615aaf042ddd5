import Domain
import Testing

@Suite struct PriceTests {
    private func price(_ prompt: Int64, _ cached: Int64, _ completion: Int64) -> Price {
        Price(
            version: 1, prompt: NanoUSD(rawValue: prompt), cached: NanoUSD(rawValue: cached),
            cacheWrite: NanoUSD(rawValue: prompt), completion: NanoUSD(rawValue: completion))
    }

    @Test func `a cost is rounded up once, never down`() {
        // 1 token at 0.0000025 dollars per million is 0.0000000000025 dollars: one nano-dollar.
        let usage = TokenUsage(prompt: 1, completion: 0)
        #expect(price(2500, 0, 0).cost(of: usage) == NanoUSD(rawValue: 1))
        #expect(price(0, 0, 0).cost(of: usage) == .zero)
    }

    @Test func `each class of tokens has its own price`() {
        let usage = TokenUsage(prompt: 1_000_000, cached: 400_000, completion: 500_000)
        let cost = price(2_500_000_000, 1_250_000_000, 10_000_000_000).cost(of: usage)
        #expect(cost == NanoUSD(rawValue: 1_500_000_000 + 500_000_000 + 5_000_000_000))
    }

    @Test func `no usage within a bound costs more than the bound's highest cost`() {
        let price = price(2_500_000_000, 5_000_000_000, 10_000_000_000)
        let bound = TokenBound(prompt: 1000, completion: 100)
        let worst = TokenUsage(prompt: 1000, cached: 1000, completion: 100)
        #expect(price.cost(of: worst) <= price.highestCost(within: bound))
    }

    @Test(arguments: [
        ("2.50", 2_500_000_000 as Int64?), ("0", 0), ("0.000000001", 1), ("10", 10_000_000_000),
        ("", nil), (".5", nil), ("1.", nil), ("-1", nil), ("1e3", nil), ("0.0000000001", nil),
        ("99999999999", nil), ("1,5", nil),
    ])
    func `dollars are read exactly or not at all`(text: String, expected: Int64?) {
        #expect(NanoUSD(dollars: text)?.rawValue == expected)
    }

    @Test func `amounts are written with the decimals they need`() {
        #expect(NanoUSD(rawValue: 2_500_000_000).description == "2.50")
        #expect(NanoUSD(rawValue: 1).description == "0.000000001")
        #expect(NanoUSD(rawValue: -1_250_000_000).description == "-1.25")
    }
}

@Suite struct ChargeTests {
    private func settlement(_ usage: TokenUsage, _ basis: UsageBasis) -> Settlement {
        Settlement(
            usage: usage, basis: basis, endState: .finished, timeToFirstToken: nil, duration: .zero)
    }

    @Test func `a charge never exceeds the bound, and the rest is overage`() {
        let bound = TokenBound(prompt: 10, completion: 10)
        let charge = Charge(
            settlement(TokenUsage(prompt: 15, completion: 100), .reported), bound: bound, price: nil
        )
        #expect(charge.tokens == 20 && charge.overage == 95 && charge.requests == 1)
    }

    @Test func `a void request is charged nothing of anything`() {
        let charge = Charge(
            settlement(TokenUsage(prompt: 5, completion: 5), .void),
            bound: TokenBound(prompt: 10, completion: 10), price: nil)
        #expect(charge.tokens == 0 && charge.requests == 0 && charge.overage == 0)
        #expect(charge.cost == .zero)
    }

    private func price(_ amount: Int64) -> Price {
        let amount = NanoUSD(rawValue: amount * 1_000_000)
        return Price(
            version: 1, prompt: amount, cached: amount, cacheWrite: amount, completion: amount)
    }

    @Test func `a fee is a version of its own, and costs once whatever is used`() {
        let fee = NanoUSD(rawValue: 25)
        let (plain, priced) = (price(1), price(1).adding(fee: fee))
        let usage = TokenUsage(prompt: 3, completion: 4)
        let bound = TokenBound(prompt: 10, completion: 10)
        #expect(priced.version != plain.version && priced == price(1).adding(fee: fee))
        #expect(plain.adding(fee: .zero) == plain)
        #expect(plain.cost(of: usage).rawValue == 7)
        #expect(priced.cost(of: usage).rawValue == 32)
        #expect(priced.highestCost(within: bound).rawValue == 45)
        let void = Charge(settlement(usage, .void), bound: bound, price: priced)
        #expect(void.cost == .zero)
    }

    @Test(arguments: [(1, 7), (5, 14), (2, 14)] as [(Int64, Int64)])
    func `what was served is charged where it is cheaper`(_ served: Int64, _ cost: Int64) {
        var settlement = settlement(TokenUsage(prompt: 3, completion: 4), .reported)
        settlement.served = price(served)
        let bound = TokenBound(prompt: 10, completion: 10)
        #expect(Charge(settlement, bound: bound, price: price(2)).cost.rawValue == cost)
        // What nobody priced costs nothing.
        #expect(Charge(settlement, bound: bound, price: nil).cost == .zero)
    }

    @Test func `an upstream's impossible counts are cut to possible ones`() {
        let usage = TokenUsage(prompt: -5, cached: 7, completion: 10, reasoning: 90)
        #expect(usage.prompt == 0 && usage.cached == 0 && usage.reasoning == 10)
        #expect(TokenUsage(prompt: .max, completion: .max).total > 0)
    }
}

@Suite struct CalendarTests {
    @Test(arguments: [
        ("1970-01-01", 0), ("2000-02-29", 11016), ("2026-11-21", 20778), ("1969-12-31", -1),
        ("2100-03-01", 47541),
    ])
    func `days and dates agree`(text: String, number: Int) {
        let day = CalendarDay(rawValue: Int32(number))
        #expect(day.description == text)
        let (year, month, date) = day.civil
        #expect(CalendarDay(year: year, month: month, day: date) == day)
    }

    @Test func `a period's account changes at midnight UTC, not before`() {
        let midnight = CalendarDay(rawValue: 20778).start
        let before = Timestamp(microseconds: midnight.microseconds - 1)
        #expect(Period.day.start(at: before) == CalendarDay(rawValue: 20777))
        #expect(Period.day.start(at: midnight) == CalendarDay(rawValue: 20778))
        #expect(Period.month.start(at: midnight).description == "2026-11-01")
        #expect(
            Period.month.end(of: CalendarDay(year: 2026, month: 12, day: 1))?.day.description
                == "2027-01-01")
        #expect(Period.total.start(at: midnight) == CalendarDay(rawValue: 0))
        #expect(Period.total.end(of: CalendarDay(rawValue: 0)) == nil)
    }

    @Test func `instants before 1970 fall into the right day`() {
        #expect(Timestamp(microseconds: -1).day.rawValue == -1)
        #expect(Timestamp(microseconds: -1).seconds == -1)
    }
}

@Suite struct ReservationTests {
    private func reservation() -> Reservation {
        let principal = Principal(
            shard: Shard(rawValue: 0), organization: .default, team: TeamID(rawValue: 1),
            key: KeyID(rawValue: 1), keySubject: 1, allowedModels: nil,
            defaultCompletionTokens: nil,
            alwaysShowsUsage: false, quotas: [], rateLimits: [])
        let request = AdmissionRequest(
            requestID: RequestID(rawValue: 1), principal: principal,
            bound: TokenBound(prompt: 1, completion: 1), model: "m", backend: "b", price: nil)
        return Reservation(request, claims: [], admittedAt: Timestamp(microseconds: 0))
    }

    @Test func `a box gives its reservation to the first who takes it`() {
        let box = ReservationBox(reservation())
        var first = box.take()
        let second = box.take()
        let isSecondEmpty = second == nil
        #expect(isSecondEmpty)
        if let taken = first.take() { taken.settled() } else { Issue.record("the box was empty") }
    }
}
