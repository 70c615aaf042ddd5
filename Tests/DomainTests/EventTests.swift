import Domain
import TestSupport
import Testing

@Suite struct `Thresholds and deliveries` {
    @Test(
        arguments: [
            (used: 799, limit: 1000, percent: nil), (800, 1000, 80), (999, 1000, 99),
            (1000, 1000, 100), (2500, 1000, 250), (0, 0, nil), (0, 1, nil), (1, 1, 100),
            (Quota.highestLimit, Quota.highestLimit, 100),
        ] as [(used: Int64, limit: Int64, percent: Int64?)])
    func `a warning begins with the lowest threshold, and never of a limit of nothing`(
        used: Int64, limit: Int64, percent: Int64?
    ) {
        #expect(QuotaThresholds.usual.warning(used: used, limit: limit) == percent)
    }

    @Test func `without thresholds there is no warning, and strange ones are left out`() {
        #expect(QuotaThresholds([]).warning(used: 1, limit: 1) == nil)
        #expect(QuotaThresholds([100, 0, 50, 101, 50]).percents == [50, 100])
    }

    private static let schedule = DeliverySchedule(
        attempts: 10, backoff: .seconds(5), longestBackoff: .seconds(43_200))

    @Test func `waits grow fourfold to the longest one, each between its half and its whole`() {
        let whole: [Int64] = [5, 20, 80, 320, 1280, 5120, 20_480, 43_200, 43_200]
        for (index, seconds) in whole.enumerated() {
            func wait(_ random: UInt64) -> Duration? {
                Self.schedule.wait(after: Int64(index + 1), asked: nil, random: random)
            }
            #expect(wait(.max) == .seconds(seconds))
            #expect(wait(0) == .milliseconds(seconds * 500))
        }
        #expect(Self.schedule.wait(after: 10, asked: nil, random: 0) == nil)
        #expect(Self.schedule.wait(after: 11, asked: nil, random: 0) == nil)
    }

    @Test func `a receiver's own wish is kept where it is longer, up to the longest wait`() {
        func wait(_ asked: Duration) -> Duration? {
            Self.schedule.wait(after: 1, asked: asked, random: .max)
        }
        #expect(wait(.seconds(1)) == .seconds(5))
        #expect(wait(.seconds(60)) == .seconds(60))
        #expect(wait(.seconds(1_000_000)) == .seconds(43_200))
    }

    @Test func `an id is read back from its text, and its texts sort by time`() {
        var random = SplitMix(seed: 7)
        var last = ""
        for second in 0..<200 {
            let id = EventID(
                at: Timestamp(microseconds: Int64(second) * 1_000_000),
                random: (random.next(), random.next()))
            #expect(EventID(id.description) == id && id.description.utf8.count == 26)
            #expect(last < id.description)
            last = id.description
        }
        for text in [
            "", "evt_", "evt_1", "req_" + last.dropFirst(4), last + "0",
            "evt_!" + last.dropFirst(5),
        ] {
            #expect(EventID(text) == nil)
        }
    }

    @Test func `a webhook is told what it asked for of its own organization`() {
        let all = WebhookSubscription(
            name: "all", organization: nil, kinds: [.warning, .exhausted])
        let own = WebhookSubscription(name: "own", organization: "acme", kinds: [.exhausted])
        #expect(all.takes(.warning, of: "acme") && all.takes(.exhausted, of: "other"))
        #expect(own.takes(.exhausted, of: "acme"))
        #expect(!own.takes(.warning, of: "acme") && !own.takes(.exhausted, of: "other"))
    }
}
