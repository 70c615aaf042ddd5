import TestSupport

/// Random numbers that a seed repeats, and what a simulation draws with them.
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var bits: SplitMix

    init(seed: UInt64) { bits = SplitMix(seed: seed &* 0x2545_F491_4F6C_DD1D) }

    mutating func next() -> UInt64 { bits.next() }

    /// A number below `bound`, which is small: the bias does not matter here.
    mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }

    /// True in `numerator` of `denominator` cases.
    mutating func chance(_ numerator: Int, of denominator: Int) -> Bool {
        below(denominator) < numerator
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    /// An independent source.
    mutating func fork() -> SeededRandom { SeededRandom(seed: next()) }
}
