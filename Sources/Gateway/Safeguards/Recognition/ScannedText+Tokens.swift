extension ScannedText {
    /// The tokens of a text, in one pass.
    static func cut(_ bytes: [UInt8]) -> [TextToken] {
        var tokens: [TextToken] = []
        var index = 0
        while index < bytes.count {
            guard ASCII.isWord(bytes[index]) else {
                index += 1
                continue
            }
            let start = index + (isEscape(bytes, index) ? 1 : 0)
            index = start
            var hasDigits = false
            var hasLetters = false
            while index < bytes.count, ASCII.isWord(bytes[index]) {
                if ASCII.isDigit(bytes[index]) { hasDigits = true } else { hasLetters = true }
                index += 1
            }
            guard index > start else { continue }
            let kind: TextToken.Kind =
                hasLetters ? (hasDigits ? .mixed : .letters) : .digits
            let end = index
            while index < bytes.count, !ASCII.isWord(bytes[index]) { index += 1 }
            let isWord = kind == .letters && end - start <= ContextWords.longest
            tokens.append(
                TextToken(
                    start: start, end: end, kind: kind,
                    context: isWord ? ContextWords.of(bytes[start..<end]) : [],
                    gap: gap(bytes, end..<index, word: start..<end)))
        }
        return tokens
    }

    /// Whether a token's first letter belongs to an escape such as `\n`, as in JSON inside a text.
    private static func isEscape(_ bytes: [UInt8], _ index: Int) -> Bool {
        guard index > 0, bytes[index - 1] == 0x5C else { return false }
        return bytes[index] == 0x6E || bytes[index] == 0x72 || bytes[index] == 0x74
    }

    private static func gap(
        _ bytes: [UInt8], _ range: Range<Int>, word: Range<Int>
    ) -> TextToken.Gap {
        let first = range.lowerBound
        if range.upperBound == bytes.count { return .sentence }
        switch range.count {
        case 1:
            switch bytes[first] {
            case 0x20: return .space
            case 0x2D: return .hyphen
            case 0x2E: return .dot
            case 0x2F: return .slash
            case 0x28: return .opening
            case 0x29: return .closing
            default: return .other
            }
        case 2:
            switch (bytes[first], bytes[first + 1]) {
            case (0xC2, 0xA0): return .space
            case (0x20, 0x28): return .opening
            case (0x29, 0x20), (0x29, 0x2D): return .closing
            default: break
            }
        case 3 where bytes[first] == 0xE2 && bytes[first + 1] == 0x80:
            switch bytes[first + 2] {
            // U+2010 to U+2013: hyphens, the figure dash, the en dash.
            case 0x90...0x93: return .hyphen
            // U+2002 to U+200A and U+202F: spaces of other widths.
            case 0x82...0x8A, 0xAF: return .space
            default: break
            }
        default: break
        }
        return endsSentence(bytes, range, word: word) ? .sentence : .other
    }

    /// Whether a sentence ends here: a full stop or its like and then a blank, unless the word
    /// before it is so short that it is cut short ("No. 12"), or an empty line.
    private static func endsSentence(
        _ bytes: [UInt8], _ range: Range<Int>, word: Range<Int>
    ) -> Bool {
        var lines = 0
        for index in range {
            let byte = bytes[index]
            if byte == 0x0A {
                lines += 1
                if lines > 1 { return true }
            }
            let isStop = byte == 0x2E || byte == 0x21 || byte == 0x3F
            guard isStop, index + 1 < range.upperBound, ASCII.isBlank(bytes[index + 1]) else {
                continue
            }
            let isAbbreviation =
                byte == 0x2E && word.count <= 3 && ASCII.isLetter(bytes[word.lowerBound])
            if !isAbbreviation { return true }
        }
        return false
    }
}
