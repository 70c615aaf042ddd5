/// Finds dates and times, in numbers or with the name of a month.
enum DateDetector {
    static func find(in text: ScannedText, at index: Int, into found: inout [EntityFinding]) {
        let token = text.tokens[index]
        guard token.count <= (token.kind == .letters ? MonthNames.longest : 4),
            token.kind != .mixed || isOrdinal(text.word(index)),
            !isInside(text.bytes, token.start), let date = WrittenDate.at(token.start, in: text)
        else { return }
        found.append(
            EntityFinding(entity: .dateTime, range: token.start..<date.end, score: 85))
    }

    /// Whether a token is a number of a day such as `15th`.
    private static func isOrdinal(_ word: ArraySlice<UInt8>) -> Bool {
        word.count <= 4 && word.first.map(ASCII.isDigit) == true
    }

    /// Whether a number goes on over the sign before it.
    private static func isInside(_ bytes: [UInt8], _ start: Int) -> Bool {
        guard start > 0 else { return false }
        let before = bytes[start - 1]
        let joins = before == 0x2D || before == 0x2F || before == 0x2E || before == 0x3A
        return joins && start > 1 && ASCII.isAlphanumeric(bytes[start - 2])
    }
}

extension WrittenDate {
    /// The date or time that begins at `start`; nil when none does.
    static func at(_ start: Int, in text: ScannedText) -> WrittenDate? {
        DateReader.read(text.bytes, at: start)
    }
}
