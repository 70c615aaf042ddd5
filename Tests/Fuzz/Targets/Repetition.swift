/// Makes long inputs of short ones, so that the limits of size and depth are in reach of a fuzzer
/// that only writes a few kilobytes.
///
/// The byte 0xFF, which no UTF-8 text holds, begins a repetition: after it stand the exponent of
/// the count, the length of the pattern, and the pattern. An input becomes longer than 32 KiB only
/// if it begins with 0xFE, which is left out: long ones are slow, so they are few. A target that is
/// slower than others has a lower `usual` length.
enum Repetition {
    private static let mark: UInt8 = 0xFF
    private static let longMark: UInt8 = 0xFE
    static let usualLength = 32 << 10
    private static let highestExponent = 22
    private static let longestPattern = 64

    /// What `input` stands for, at most `most` bytes of it.
    static func expanded(
        _ input: [UInt8], most: Int, usual: Int = usualLength
    ) -> [UInt8] {
        let isLong = input.first == longMark
        let most = isLong ? most : min(most, usual)
        var bytes: [UInt8] = []
        var position = isLong ? 1 : 0
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
