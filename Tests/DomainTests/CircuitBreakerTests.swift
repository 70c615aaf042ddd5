import Domain
import Testing

@Suite struct CircuitBreakers {
    private static func at(_ seconds: Double) -> Uptime {
        Uptime(microseconds: 1_000_000_000 + Int64(seconds * 1_000_000))
    }

    private static func permit(
        _ breaker: inout CircuitBreaker, at now: Uptime
    ) throws -> CircuitBreaker.Permit {
        guard case .allow(let permit) = breaker.decide(at: now) else { throw Refused() }
        return permit
    }

    private struct Refused: Error {}

    /// One that five failures in a row have opened at 0 s.
    private static func opened() throws -> CircuitBreaker {
        var breaker = CircuitBreaker(CircuitBreaker.Limits())
        for _ in 0..<5 {
            breaker.record(.failure, of: try permit(&breaker, at: at(0)), at: at(0))
        }
        return breaker
    }

    @Test func `failures in a row open it, and one success between them does not`() throws {
        var breaker = CircuitBreaker(CircuitBreaker.Limits())
        for outcome in [
            CircuitBreaker.Outcome.failure, .failure, .failure, .failure, .success, .failure,
            .failure, .failure, .failure,
        ] { breaker.record(outcome, of: try Self.permit(&breaker, at: Self.at(0)), at: Self.at(0)) }
        #expect(breaker.isClear)
        breaker.record(.failure, of: try Self.permit(&breaker, at: Self.at(1)), at: Self.at(1))
        let decision1 = breaker.decide(at: Self.at(1))
        #expect(decision1 == .refuse(until: Self.at(6)))
    }

    @Test func `a share of the window's calls opens it, but not of too few or of old ones`() throws
    {
        var breaker = CircuitBreaker(CircuitBreaker.Limits())
        func call(_ outcome: CircuitBreaker.Outcome, _ second: Double) throws {
            breaker.record(
                outcome, of: try Self.permit(&breaker, at: Self.at(second)), at: Self.at(second))
        }
        for _ in 0..<4 {
            try call(.failure, 0)
            try call(.success, 0)
        }
        #expect(breaker.isClear)
        // The eight of before are forgotten: five of nine would not be enough calls.
        for _ in 0..<4 {
            try call(.success, 20)
            try call(.failure, 20)
        }
        try call(.failure, 20)
        #expect(breaker.isClear)
        try call(.failure, 20)
        #expect(!breaker.isClear)
    }

    @Test func `half open, it lets one call through at a time, whose success closes it`() throws {
        var breaker = try Self.opened()
        let decision2 = breaker.decide(at: Self.at(4.9))
        #expect(decision2 == .refuse(until: Self.at(5)))
        let probe = try Self.permit(&breaker, at: Self.at(5))
        guard case .refuse = breaker.decide(at: Self.at(5)) else { throw Refused() }
        breaker.record(.success, of: probe, at: Self.at(6))
        #expect(breaker.isClear)
    }

    @Test func `a failed probe opens it for twice as long, up to the limit`() throws {
        var breaker = try Self.opened()
        var (now, waits) = (5.0, [Double]())
        for _ in 0..<6 {
            let probe = try Self.permit(&breaker, at: Self.at(now))
            breaker.record(.failure, of: probe, at: Self.at(now))
            guard case .refuse(let until) = breaker.decide(at: Self.at(now)) else {
                throw Refused()
            }
            let wait = Double((until - Self.at(now)).microseconds) / 1_000_000
            waits.append(wait)
            now += wait
        }
        #expect(waits == [10, 20, 40, 60, 60, 60])
    }

    @Test func `a probe whose client left is made again by the next`() throws {
        var breaker = try Self.opened()
        let probe = try Self.permit(&breaker, at: Self.at(5))
        breaker.record(.nothing, of: probe, at: Self.at(5))
        _ = try Self.permit(&breaker, at: Self.at(5))
    }

    @Test func `a call from before it opened says nothing of the state after it`() throws {
        var breaker = CircuitBreaker(CircuitBreaker.Limits())
        let early = try Self.permit(&breaker, at: Self.at(0))
        for _ in 0..<5 {
            breaker.record(.failure, of: try Self.permit(&breaker, at: Self.at(0)), at: Self.at(0))
        }
        breaker.record(.success, of: early, at: Self.at(1))
        let decision3 = breaker.decide(at: Self.at(1))
        #expect(decision3 == .refuse(until: Self.at(5)))
    }

    @Test func `a backend that asks for rest gets it, within the limit, and is then closed`() throws
    {
        var breaker = CircuitBreaker(CircuitBreaker.Limits())
        breaker.record(
            .rest(.seconds(7)), of: try Self.permit(&breaker, at: Self.at(0)), at: Self.at(0))
        let decision4 = breaker.decide(at: Self.at(6))
        #expect(decision4 == .refuse(until: Self.at(7)))
        let permit = try Self.permit(&breaker, at: Self.at(7))
        #expect(breaker.isClear)
        breaker.record(.rest(.seconds(86_400)), of: permit, at: Self.at(7))
        let decision5 = breaker.decide(at: Self.at(8))
        #expect(decision5 == .refuse(until: Self.at(67)))
    }
}

@Suite struct RetryBudgets {
    private static func at(_ seconds: Int64) -> Uptime { Uptime(microseconds: seconds * 1_000_000) }

    private static func spent(_ budget: inout RetryBudget, at now: Uptime) -> Int {
        var spent = 0
        while spent < 10_000, budget.spend(at: now) { spent += 1 }
        return spent
    }

    @Test(arguments: [(0, 10), (100, 30), (1000, 210)])
    func `retries are a fifth of the requests and ten`(_ requests: Int, _ retries: Int) {
        var budget = RetryBudget(RetryBudget.Limits())
        for _ in 0..<requests { budget.earn(at: Self.at(100)) }
        let spent = Self.spent(&budget, at: Self.at(105))
        let more = Self.spent(&budget, at: Self.at(106))
        #expect(spent == retries && more == 0)
    }

    @Test func `what was earned and spent more than ten seconds ago is forgotten`() {
        var budget = RetryBudget(RetryBudget.Limits())
        for _ in 0..<1000 { budget.earn(at: Self.at(100)) }
        let spent = Self.spent(&budget, at: Self.at(101))
        let later = Self.spent(&budget, at: Self.at(111))
        #expect(spent == 210 && later == 10)
    }

    @Test func `no per cent and no floor is no retry`() {
        var limits = RetryBudget.Limits()
        (limits.percent, limits.floor) = (0, 0)
        var budget = RetryBudget(limits)
        for _ in 0..<1000 { budget.earn(at: Self.at(100)) }
        let spent = Self.spent(&budget, at: Self.at(100))
        #expect(spent == 0)
    }
}
