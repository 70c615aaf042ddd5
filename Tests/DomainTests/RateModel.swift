import Domain

/// The ledger's buckets as `RateStatement` keeps them, in Swift and by a clock of their own: what
/// the simulated nodes of a property test share.
struct RateModel {
    struct Bucket {
        var tat: Int64 = 0
        var limit: Int64
    }

    var buckets: [RateBucket: Bucket] = [:]
    /// The directory: no bucket without a limit.
    var limits: [RateBucket: Int64] = [:]
    static let burst: Int64 = 60_000_000

    /// Carries out one order at `time`, in microseconds of the ledger's clock.
    mutating func carryOut(_ order: RateOrder, at time: Int64, asked: Uptime) -> RateReply {
        guard let limit = limits[order.bucket] else { return .lifted }
        var bucket = buckets[order.bucket] ?? Bucket(limit: limit)
        let used = Int128(min(max(bucket.tat - time, 0), Self.burst))
        let scaled = (used * Int128(bucket.limit) + Int128(limit) - 1) / Int128(limit)
        let credit = Int128(order.credit) * Int128(Self.burst) / Int128(limit)
        let level = Int64(min(max(scaled - credit, 0), Int128(Self.burst)))
        let room = Int64(Int128(Self.burst - level) * Int128(limit) / Int128(Self.burst))
        let granted = room >= order.least ? min(order.want, room) : 0
        let span = (Int128(granted) * Int128(Self.burst) + Int128(limit) - 1) / Int128(limit)
        bucket = Bucket(tat: time + level + Int64(span), limit: limit)
        buckets[order.bucket] = bucket
        return .answered(
            granted: granted, limit: limit, level: .microseconds(bucket.tat - time), asked: asked)
    }
}

/// Repeatable random numbers (SplitMix64).
struct RateRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
