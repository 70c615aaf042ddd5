import TestSupport
import Testing

@testable import Domain

@Suite struct `Histograms of times` {
    /// A time of any magnitude up to a little over a day.
    private static func time(_ random: inout SplitMix) -> Duration {
        .microseconds(Int64(random.next() >> (27 + random.below(37))))
    }

    /// Whether `told` is as near to `time` as a histogram promises: within 1/32 of it.
    private static func isNear(_ told: Duration, _ time: Duration) -> Bool {
        abs(told.microseconds - time.microseconds) * 32 <= time.microseconds
    }

    @Test func `every time is within a thirty-second of the middle of its bucket`() {
        var random = SplitMix(seed: 21)
        var times = (0..<10_000).map { _ in Self.time(&random) }
        for power in 0..<62 {
            for offset in -1...1 as ClosedRange<Int64> {
                times.append(.microseconds((1 << power) + offset))
            }
        }
        var last: Int16 = 0
        for time in times.sorted() {
            let bucket = LatencyHistogram.bucket(of: time)
            #expect(bucket >= last && LatencyHistogram.buckets.contains(bucket))
            #expect(Self.isNear(LatencyHistogram.middle(of: bucket), time), "\(time)")
            last = bucket
        }
    }

    @Test func `times at the ends have a bucket`() {
        #expect(LatencyHistogram.bucket(of: Duration.microseconds(-1)) == 0)
        #expect(LatencyHistogram.bucket(of: .zero) == 0)
        let longest = Duration.microseconds(Int64.max)
        #expect(LatencyHistogram.bucket(of: longest) == LatencyHistogram.buckets.upperBound)
        #expect(LatencyHistogram().percentile(50) == nil)
        for time in 0..<32 as Range<Int64> {
            var one = LatencyHistogram()
            one.add(.microseconds(time))
            #expect(one.percentile(1) == .microseconds(time))
        }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `parts merged in any order tell what all of the times, sorted, do`(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        let times = (0...random.below(700)).map { _ in Self.time(&random) }
        var whole = LatencyHistogram()
        var parts = [LatencyHistogram](
            repeating: LatencyHistogram(), count: 1 + Int(random.below(9)))
        for time in times {
            whole.add(time)
            parts[Int(random.below(UInt64(parts.count)))].add(time)
        }
        var merged = LatencyHistogram()
        while !parts.isEmpty {
            merged.merge(parts.remove(at: Int(random.below(UInt64(parts.count)))))
        }
        #expect(merged == whole && merged.count == Int128(times.count))
        let sorted = times.sorted()
        for percent in [1, 50, 95, 99, 100] {
            let exact = sorted[(times.count * percent + 99) / 100 - 1]
            guard let told = merged.percentile(percent) else {
                Issue.record("no percentile of \(times.count) times")
                continue
            }
            #expect(Self.isNear(told, exact), "\(percent): \(told) for \(exact)")
        }
    }
}
