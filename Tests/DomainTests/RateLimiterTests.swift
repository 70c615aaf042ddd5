import Domain
import Testing

private func at(_ milliseconds: Int64) -> Uptime { Uptime(microseconds: milliseconds * 1000) }

@Suite struct GCRATests {
    @Test func `a whole minute's allowance passes at once, then one per interval`() {
        var cell = GCRA(perMinute: 60)
        for _ in 0..<60 {
            #expect(cell.decide(1, at: at(0)) == .pass)
            cell.take(1, at: at(0))
        }
        #expect(cell.decide(1, at: at(0)) == .wait(.seconds(1)))
        #expect(cell.decide(1, at: at(999)) == .wait(.milliseconds(1)))
        #expect(cell.decide(1, at: at(1000)) == .pass)
    }

    @Test func `waiting exactly as long as told is enough`() {
        var cell = GCRA(perMinute: 7)
        for _ in 0..<7 { cell.take(1, at: at(0)) }
        guard case .wait(let wait) = cell.decide(3, at: at(10)) else {
            Issue.record("passed")
            return
        }
        #expect(cell.decide(3, at: at(10) + wait) == .pass)
        #expect(cell.decide(3, at: at(10) + (wait - .microseconds(1))) != .pass)
    }

    @Test func `more than the whole burst never passes`() {
        #expect(GCRA(perMinute: 100).decide(101, at: at(0)) == .never)
        #expect(GCRA(perMinute: 100).decide(100, at: at(0)) == .pass)
    }

    @Test func `what is given back is there again, and no more than that`() {
        var cell = GCRA(perMinute: 100)
        cell.take(100, at: at(0))
        cell.giveBack(40, at: at(0))
        #expect(cell.remaining(at: at(0)) == 40)
        cell.giveBack(1000, at: at(0))
        #expect(cell.remaining(at: at(0)) == 100)
    }

    @Test(arguments: [1, 3, 7, 60, 61, 1000, 200_000] as [Int64])
    func `no window of a minute after a full burst passes more than twice the limit`(limit: Int64) {
        var cell = GCRA(perMinute: limit)
        var passed: Int64 = 0
        for millisecond in stride(from: 0 as Int64, to: 60_000, by: 50) {
            while case .pass = cell.decide(1, at: at(millisecond)), passed <= 3 * limit {
                cell.take(1, at: at(millisecond))
                passed += 1
            }
        }
        #expect(passed <= 2 * limit)
        #expect(passed >= limit)
    }
}

@Suite struct RateLimiterTests {
    private let key = Subject(kind: .key, id: 1)
    private let team = Subject(kind: .team, id: 2)

    @Test func `a request that one limit refuses takes of none`() {
        var limiter = RateLimiter()
        let limits = [
            RateLimit(subject: key, dimension: .requestsPerMinute, limit: 10),
            RateLimit(subject: team, dimension: .tokensPerMinute, limit: 100),
        ]
        guard case .passed = limiter.admit(limits, tokens: 80, at: at(0)) else {
            Issue.record("refused")
            return
        }
        guard case .denied(let denial) = limiter.admit(limits, tokens: 80, at: at(0)) else {
            Issue.record("passed")
            return
        }
        #expect(denial.reason == .rateLimited(.tokensPerMinute) && denial.subject == team)
        #expect(limiter.standing(of: limits[0], at: at(0))?.remaining == 9)
    }

    @Test func `tokens that were not used are credited when the request ends`() {
        var limiter = RateLimiter()
        let limits = [RateLimit(subject: key, dimension: .tokensPerMinute, limit: 100)]
        guard case .passed(let ticket) = limiter.admit(limits, tokens: 90, at: at(0)) else {
            return
        }
        #expect(limiter.standing(of: limits[0], at: at(0))?.remaining == 10)
        limiter.finish(ticket, used: 30, at: at(0))
        #expect(limiter.standing(of: limits[0], at: at(0))?.remaining == 70)
    }

    @Test func `a place comes free when a request ends, and a refused one held none`() {
        var limiter = RateLimiter()
        let limits = [RateLimit(subject: key, dimension: .concurrentRequests, limit: 1)]
        guard case .passed(let ticket) = limiter.admit(limits, tokens: 1, at: at(0)) else { return }
        guard case .denied = limiter.admit(limits, tokens: 1, at: at(0)) else {
            Issue.record("two at once")
            return
        }
        limiter.undo(ticket, at: at(0))
        guard case .passed = limiter.admit(limits, tokens: 1, at: at(0)) else {
            Issue.record("the place was lost")
            return
        }
    }

    @Test func `a request that outlives its forgotten cell ends without harm`() {
        var limiter = RateLimiter()
        let limits = [RateLimit(subject: key, dimension: .tokensPerMinute, limit: 60_000)]
        guard case .passed(let ticket) = limiter.admit(limits, tokens: 1000, at: at(0)) else {
            return
        }
        limiter.forgetIdle(at: at(1500))
        limiter.finish(ticket, used: 10, at: at(1600))
        #expect(limiter.standing(of: limits[0], at: at(1600))?.remaining == 60_000)
    }

    @Test func `credit for an old limit does not touch the new one's cell`() {
        var limiter = RateLimiter()
        let old = [RateLimit(subject: key, dimension: .tokensPerMinute, limit: 100)]
        guard case .passed(let ticket) = limiter.admit(old, tokens: 90, at: at(0)) else { return }
        let new = [RateLimit(subject: key, dimension: .tokensPerMinute, limit: 50)]
        _ = limiter.admit(new, tokens: 40, at: at(0))
        limiter.finish(ticket, used: 0, at: at(0))
        #expect(limiter.standing(of: new[0], at: at(0))?.remaining == 10)
    }

    @Test func `a changed limit counts from the change`() {
        var limiter = RateLimiter()
        let old = [RateLimit(subject: key, dimension: .requestsPerMinute, limit: 1)]
        _ = limiter.admit(old, tokens: 1, at: at(0))
        let new = [RateLimit(subject: key, dimension: .requestsPerMinute, limit: 5)]
        #expect(limiter.standing(of: new[0], at: at(0))?.remaining == 5)
    }
}
