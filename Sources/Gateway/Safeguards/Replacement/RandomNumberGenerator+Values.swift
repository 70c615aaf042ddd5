extension RandomNumberGenerator {
    /// A number from 0 to one less than `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next(upperBound: UInt64(bound))) }

    /// A number of the range.
    mutating func number(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.count)
    }

    /// One of these, which must not be none.
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    /// So many random digits, as values.
    mutating func digits(_ count: Int) -> [Int] { (0..<count).map { _ in below(10) } }

    /// A random character of the class of this one: a digit, a small letter, a capital; any other
    /// byte as it is.
    mutating func character(like byte: UInt8) -> UInt8 {
        if ASCII.isDigit(byte) { return 0x30 + UInt8(below(10)) }
        if ASCII.isUpper(byte) { return 0x41 + UInt8(below(26)) }
        if ASCII.isLower(byte) { return 0x61 + UInt8(below(26)) }
        return byte
    }
}
