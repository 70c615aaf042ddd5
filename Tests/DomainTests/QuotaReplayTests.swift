import Domain
import TestSupport
import Testing

/// A proposed limit, tried on requests of the past.
@Suite struct QuotaReplayTests {
    private let first = CalendarDay(year: 2026, month: 10, day: 31)

    private func at(_ day: CalendarDay, _ seconds: Int64) -> Timestamp {
        day.start + .seconds(seconds)
    }

    @Test func `what no longer fits is refused, and what fits after it is not`() {
        var replay = QuotaReplay(resource: .tokens, period: .day, limit: 100)
        for (number, charge) in [60, 50, 40, 1].enumerated() {
            replay.take(charge: Int64(charge), at: at(first, Int64(number)))
        }
        let day = replay.days[first]
        #expect(day?.servedRequests == 2 && day?.used == 100)
        #expect(day?.refusedRequests == 2 && day?.refused == 51)
        #expect(day?.firstRefusal == at(first, 1))
        #expect(replay.leastLimit == 151)
    }

    @Test(arguments: [(Period.day, [1, 1]), (.month, [1, 1]), (.total, [1, 0])])
    func `a period begins anew where the calendar says so`(
        _ period: Period, _ served: [Int64]
    ) {
        var replay = QuotaReplay(resource: .tokens, period: period, limit: 10)
        replay.take(charge: 10, at: at(first, 86_399))
        replay.take(charge: 10, at: at(first.next, 0))
        #expect([first, first.next].map { replay.days[$0]?.servedRequests } == served)
    }

    /// Against the definition, by adding up anew for each request.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `serves what the sum of those before it leaves room for`(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        let limit = Int64(random.next() % 201)
        var replay = QuotaReplay(resource: .tokens, period: .day, limit: limit)
        var admitted: [(CalendarDay, Int64)] = []
        var all: [CalendarDay: Int64] = [:]
        var second: Int64 = 0
        for _ in 0..<60 {
            second += Int64(random.next() % 9_001)
            let (charge, instant) = (Int64(random.next() % 51), at(first, second))
            replay.take(charge: charge, at: instant)
            all[instant.day, default: 0] += charge
            let used = admitted.filter { $0.0 == instant.day }.reduce(0) { $0 + $1.1 }
            if used + charge <= limit { admitted.append((instant.day, charge)) }
        }
        for day in all.keys {
            let mine = admitted.filter { $0.0 == day }
            #expect(replay.days[day]?.servedRequests == Int64(mine.count))
            #expect(replay.days[day]?.used == Int128(mine.reduce(0) { $0 + $1.1 }))
        }
        #expect(replay.leastLimit == Int128(all.values.max() ?? 0))
    }

    @Test func `sums do not overflow`() {
        var replay = QuotaReplay(resource: .cost, period: .total, limit: .max)
        replay.take(charge: .max, at: at(first, 0))
        replay.take(charge: .max, at: at(first, 1))
        #expect(replay.days[first]?.refusedRequests == 1)
        #expect(replay.leastLimit == 2 * Int128(Int64.max))
    }
}
