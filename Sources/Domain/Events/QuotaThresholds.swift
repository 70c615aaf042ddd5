/// The parts of a quota at which it is time to say something, in per cent of the limit.
public struct QuotaThresholds: Sendable, Hashable {
    /// Rising, each once, 1 to 100.
    public let percents: [Int64]

    /// Makes thresholds of numbers in any order; those outside 1...100 are left out.
    public init(_ percents: some Sequence<Int64>) {
        self.percents = Set(percents).filter { (1...100).contains($0) }.sorted()
    }

    /// What holds unless the configuration says otherwise.
    public static let usual = QuotaThresholds([80, 100])

    /// Whether `used` is at or beyond `percent` of `limit`. A limit of nothing is no budget that
    /// could be used up: it stops its subject, and nobody is warned of it.
    public static func reaches(_ percent: Int64, used: Int64, limit: Int64) -> Bool {
        limit > 0 && Int128(used) * 100 >= Int128(limit) * Int128(percent)
    }

    /// How much of `limit` is used, in per cent rounded down, where that is at or beyond the lowest
    /// threshold; nil below it.
    public func warning(used: Int64, limit: Int64) -> Int64? {
        guard let lowest = percents.first, Self.reaches(lowest, used: used, limit: limit) else {
            return nil
        }
        return Int64(clamping: Int128(used) * 100 / Int128(limit))
    }
}

/// That a quota of a principal is near its end, for the header of its answers.
public struct QuotaWarning: Sendable, Hashable {
    /// The quota.
    public let quota: Quota
    /// How much of it is used, in per cent rounded down, as the node knows it.
    public let percent: Int64

    /// Makes a warning.
    public init(quota: Quota, percent: Int64) {
        self.quota = quota
        self.percent = percent
    }
}
