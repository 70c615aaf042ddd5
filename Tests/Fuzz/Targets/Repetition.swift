/// Makes long inputs of short ones, so that the limits of size and depth are in reach of a fuzzer
/// that only writes a few kilobytes.
///
/// The byte 0xFF, which no UTF-8 text holds, begins a repetition: after it stand the exponent of
/// the count, the length of the pattern, and the pattern.
enum Repetition {
    private static let mark: UInt8 = 0xFF
    private static let highestExponent = 22
    private static let longestPattern = 16

    /// What `input` stands for, at most `most` bytes of it.
    static func expanded(_ input: [UInt8], most: Int) -> [UInt8] {
        guard input.contains(mark) else { return Array(input.prefix(most)) }
        var bytes: [UInt8] = []
        var position = 0
        while position < input.count, bytes.count < most {
            guard input[position] == mark, position + 3 < input.count else {
                bytes.append(input[position])
                position += 1
                continue
            }
            let count = 1 << (Int(input[position + 1]) % (highestExponent + 1))
            let start = position + 3
            let end = min(input.count, start + 1 + Int(input[position + 2]) % longestPattern)
            let pattern = input[start..<end]
            for _ in 0..<min(count, (most - bytes.count) / pattern.count + 1) { bytes += pattern }
            position = end
        }
        return Array(bytes.prefix(most))
    }
}
