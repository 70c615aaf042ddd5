/// How often times of which length came: what stays of times that are not kept one by one.
///
/// Sixteen buckets of equal width for each power of two of microseconds, as in HdrHistogram (Gil
/// Tene, hdrhistogram.org). Histograms add up bucket by bucket, in any order and grouping, to that
/// of all their times. The rank of a percentile is exact; the time told is the middle of the bucket
/// that has that rank, at most ``errorPermille`` away from the time that a request took. The
/// database counts into the same buckets, by its function `latency_bucket`.
public struct LatencyHistogram: Sendable, Hashable {
    /// How far a percentile may be from the true one, in thousandths of it: 1/32, rounded up.
    public static let errorPermille: Int64 = 32
    /// The buckets that there are.
    public static let buckets: ClosedRange<Int16> = 0...959

    private var counts: [Int16: Int128] = [:]
    /// How many times were counted. Wider than the ledger's own numbers: no sum of them overflows.
    public private(set) var count: Int128 = 0

    /// Makes one of no time.
    public init() {}

    /// Counts `count` more times into a bucket.
    public mutating func add(_ count: Int64, to bucket: Int16) {
        precondition(Self.buckets.contains(bucket) && count >= 0, "no such bucket or count")
        counts[bucket, default: 0] += Int128(count)
        self.count += Int128(count)
    }

    /// Counts a time; one below zero as zero.
    public mutating func add(_ time: Duration) { add(1, to: Self.bucket(of: time)) }

    /// Counts what another has counted.
    public mutating func merge(_ other: LatencyHistogram) {
        counts.merge(other.counts) { $0 + $1 }
        count += other.count
    }

    /// The time within which `percent` of a hundred had come, by nearest rank; nil without any.
    public func percentile(_ percent: Int) -> Duration? {
        precondition((1...100).contains(percent), "a percentile is 1 to 100")
        let rank = (count * Int128(percent) + 99) / 100
        var seen: Int128 = 0
        for (bucket, number) in counts.sorted(by: { $0.key < $1.key }) {
            seen += number
            if seen >= rank, number > 0 { return Self.middle(of: bucket) }
        }
        return nil
    }

    /// The bucket of a time; of one below zero the first.
    public static func bucket(of time: Duration) -> Int16 {
        let us = max(0, time.microseconds)
        let octave = max(0, Int64.bitWidth - us.leadingZeroBitCount - 4)
        return Int16(16 * octave + Int(us >> Int64(max(0, octave - 1))) & 15)
    }

    /// The middle of a bucket, rounded down.
    static func middle(of bucket: Int16) -> Duration {
        let (octave, part) = (Int64(bucket / 16), Int64(bucket % 16))
        guard octave > 0 else { return .microseconds(part) }
        let width: Int64 = 1 << (octave - 1)
        return .microseconds((16 + part) * width + (width - 1) / 2)
    }
}
