/// A small seeded generator, so that a failing seed repeats: SplitMix64 (Steele, Lea and Flood,
/// 2014).
public struct SplitMix: Sendable {
    private var state: UInt64

    /// Starts a sequence that depends on the seed alone.
    public init(seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 to one less than `bound`.
    public mutating func below(_ bound: UInt64) -> UInt64 { next() % max(1, bound) }
}
