/// Finds IPv4 addresses: four numbers to 255 without leading zeros, no part of a longer row and not
/// called a version.
enum IPv4Detector {
    static func find(in text: ScannedText, at index: Int, into found: inout [EntityFinding]) {
        let last = index + 3
        guard last < text.tokens.count, text.tokens[index].gap == .dot,
            (index...last).allSatisfy({ isOctet(text.word($0)) && text.tokens[$0].kind == .digits }
            ),
            (index..<last).allSatisfy({ text.tokens[$0].gap == .dot })
        else { return }
        // A slash and a number behind it is the length of a network's prefix.
        if index > 0, text.tokens[index - 1].gap == .dot {
            return
        }
        if text.tokens[last].gap == .dot, last + 1 < text.tokens.count,
            text.tokens[last + 1].hasDigits
        {
            return
        }
        guard
            index == 0 || text.tokens[index - 1].gap == .sentence
                || !text.tokens[index - 1].context.contains(.version)
        else { return }
        found.append(text.finding(.ipAddress, index, through: last, score: 90))
    }

    private static func isOctet(_ word: ArraySlice<UInt8>) -> Bool {
        guard word.count <= 3, word.count == 1 || word.first != 0x30 else { return false }
        return word.reduce(0) { $0 * 10 + Int($1) - 0x30 } <= 255
    }
}
