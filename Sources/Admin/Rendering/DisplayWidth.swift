/// How many columns a terminal gives to a text.
///
/// Wide and emoji characters take two, marks that combine with their neighbour none. The ranges are
/// those of Unicode's `EastAsianWidth.txt` with the property W or F, joined where only unassigned
/// characters lie between.
enum DisplayWidth {
    /// The columns of a text without control characters.
    static func of(_ text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + of($1) }
    }

    /// The columns of one character as a reader sees it: the widest of its scalars, as marks lie
    /// over each other.
    static func of(_ character: Character) -> Int {
        let scalars = character.unicodeScalars
        // The emoji variation selector asks for the wide picture of what would be a narrow sign.
        if scalars.contains("\u{FE0F}") { return 2 }
        // Two regional indicators are one flag.
        if scalars.count == 2, scalars.allSatisfy({ (0x1F1E6...0x1F1FF).contains($0.value) }) {
            return 2
        }
        return scalars.reduce(0) { max($0, of($1)) }
    }

    /// Replaces what would move the cursor, hide text or turn its direction, and line ends, by
    /// U+FFFD, so that a name chosen by a tenant cannot rewrite an administrator's screen.
    static func printable(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(isPrintable(scalar) ? scalar : "\u{FFFD}")
        }
        return String(result)
    }

    /// Shortens a text to at most `width` columns; what was cut is shown by `…`.
    static func truncate(_ text: String, to width: Int) -> String {
        if of(text) <= width { return text }
        var kept = ""
        var columns = 0
        for character in text {
            let next = of(character)
            if columns + next > width - 1 { break }
            kept.append(character)
            columns += next
        }
        return width > 0 ? kept + "…" : ""
    }

    /// Fills a text with spaces to `width` columns, on the left when `atEnd`.
    static func pad(_ text: String, to width: Int, alignedAtEnd atEnd: Bool) -> String {
        let spaces = String(repeating: " ", count: max(0, width - of(text)))
        return atEnd ? spaces + text : text + spaces
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        // Joins the parts of one emoji; harmless elsewhere.
        if scalar == "\u{200D}" { return true }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
            .unassigned:
            false
        default: true
        }
    }

    private static func of(_ scalar: Unicode.Scalar) -> Int {
        if scalar.isASCII { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2329...0x232A, 0x2630...0x2637, 0x268A...0x268F, 0x2E80...0x303E,
        0x3041...0x4DBF, 0x4DC0...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
        0xFE10...0xFE19, 0xFE30...0xFE6B, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF,
        0x1AFF0...0x1B2FB, 0x1D300...0x1D376, 0x1F200...0x1F265, 0x1F300...0x1F64F,
        0x1F680...0x1F6FF, 0x1F7E0...0x1F7F0, 0x1F900...0x1F9FF, 0x1FA70...0x1FAFF,
        0x20000...0x3FFFD,
    ]
}
