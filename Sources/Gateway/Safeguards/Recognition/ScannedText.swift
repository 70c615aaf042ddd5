/// A text cut into tokens, once, for every detector.
struct ScannedText {
    /// How many tokens before a number may say what it is, and how many behind it.
    private static let tokensBefore = 6
    private static let tokensBehind = 3

    let bytes: [UInt8]
    let tokens: [TextToken]

    /// Cuts `text`, which is read once.
    init(_ text: String) {
        bytes = Array(text.utf8)
        tokens = Self.cut(bytes)
    }

    /// The byte at `index`, or 0 outside the text.
    func byte(_ index: Int) -> UInt8 {
        index >= 0 && index < bytes.count ? bytes[index] : 0
    }

    /// The bytes of a token.
    func word(_ index: Int) -> ArraySlice<UInt8> { bytes[tokens[index].range] }

    /// What the words around the tokens `first` to `last` say, within the sentence.
    func context(of first: Int, through last: Int) -> ContextWords {
        var words: ContextWords = []
        var index = first - 1
        while index >= 0, first - index <= Self.tokensBefore, tokens[index].gap != .sentence {
            words.formUnion(tokens[index].context)
            index -= 1
        }
        index = last
        while index + 1 < tokens.count, index - last < Self.tokensBehind,
            tokens[index].gap != .sentence
        {
            index += 1
            words.formUnion(tokens[index].context)
        }
        return words
    }

    /// Whether the tokens `first` to `last` are no part of a longer number.
    func isIsolated(_ first: Int, through last: Int) -> Bool {
        if first > 0, tokens[first - 1].hasDigits, Self.joins(tokens[first - 1].gap) {
            return false
        }
        if last + 1 < tokens.count, tokens[last + 1].hasDigits, Self.joins(tokens[last].gap) {
            return false
        }
        return true
    }

    private static func joins(_ gap: TextToken.Gap) -> Bool {
        gap == .hyphen || gap == .dot || gap == .slash
    }
}

/// The characters of a few tokens that together are one number.
struct CompactNumber {
    /// Letters and digits, as they stand.
    let characters: [UInt8]
    /// The last token.
    let last: Int
    /// What stands between the tokens; nil when there is only one.
    let separator: TextToken.Gap?

    /// The digits' values; meaningless where there are letters.
    var digits: [Int] { characters.map { Int($0) - 0x30 } }
}

extension ScannedText {
    /// The digits of tokens from `first` that have exactly these lengths and the same one of these
    /// gaps between them; nil when the text is not like that.
    func groups(
        _ lengths: [Int], from first: Int, by separators: [TextToken.Gap]
    ) -> CompactNumber? {
        guard first + lengths.count <= tokens.count, tokens[first].count == lengths[0] else {
            return nil
        }
        let separator = tokens[first].gap
        for (offset, length) in lengths.enumerated() {
            let token = tokens[first + offset]
            guard token.kind == .digits, token.count == length else { return nil }
            if offset + 1 < lengths.count {
                guard token.gap == separator, separators.contains(separator) else { return nil }
            }
        }
        let last = first + lengths.count - 1
        return CompactNumber(
            characters: characters(first...last), last: last,
            separator: lengths.count > 1 ? separator : nil)
    }

    /// The first `length` characters of tokens from `first` with the same one of these gaps between
    /// them; nil when they do not end with a token.
    func compact(
        _ length: Int, from first: Int, by separators: [TextToken.Gap]
    ) -> CompactNumber? {
        var index = first
        var count = tokens[first].count
        let separator = tokens[first].gap
        while count < length {
            guard tokens[index].gap == separator, separators.contains(separator),
                index + 1 < tokens.count
            else { return nil }
            index += 1
            count += tokens[index].count
        }
        guard count == length else { return nil }
        return CompactNumber(
            characters: characters(first...index), last: index,
            separator: index > first ? separator : nil)
    }

    /// The bytes of tokens without what stands between them.
    private func characters(_ range: ClosedRange<Int>) -> [UInt8] {
        var characters: [UInt8] = []
        characters.reserveCapacity(
            tokens[range.upperBound].end - tokens[range.lowerBound].start)
        for index in range {
            let token = tokens[index]
            for place in token.range { characters.append(bytes[place]) }
        }
        return characters
    }

    /// A finding that covers the tokens `first` to `last`.
    func finding(
        _ entity: EntityType, _ first: Int, through last: Int, score: Int
    ) -> EntityFinding {
        EntityFinding(
            entity: entity, range: tokens[first].start..<tokens[last].end, score: score)
    }
}
