import TestSupport

/// Random numbers that a seed repeats, and what a labelled set draws with them.
struct SafeguardRandom: RandomNumberGenerator {
    private var bits: SplitMix

    init(seed: UInt64) { bits = SplitMix(seed: seed &* 0x2545_F491_4F6C_DD1D) }

    mutating func next() -> UInt64 { bits.next() }

    mutating func upTo(_ bound: Int) -> Int { Int(next() >> 33) % bound }
    mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + upTo(range.count) }
    mutating func one<Element>(of elements: [Element]) -> Element { elements[upTo(elements.count)] }
    mutating func chance(_ percent: Int) -> Bool { upTo(100) < percent }

    /// So many digits as text.
    mutating func text(_ digits: Int) -> String {
        (0..<digits).map { _ in String(upTo(10)) }.joined()
    }

    /// A number with zeros before it.
    mutating func padded(_ range: ClosedRange<Int>, _ width: Int) -> String {
        let digits = String(within(range))
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    mutating func letters(_ count: Int, of alphabet: String = "abcdefghijklmnopqrstuvwxyz")
        -> String
    {
        let letters = Array(alphabet)
        return String((0..<count).map { _ in one(of: letters) })
    }
}
