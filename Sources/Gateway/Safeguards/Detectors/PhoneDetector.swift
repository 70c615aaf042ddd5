/// Finds telephone numbers: international ones by their sign, national ones by the groups their
/// country writes, others by a word beside them.
enum PhoneDetector {
    /// Whether a number may go on behind it.
    private static func joins(_ gap: TextToken.Gap) -> Bool {
        switch gap {
        case .space, .hyphen, .dot, .slash, .opening, .closing: true
        case .sentence, .other: false
        }
    }

    /// The fewest digits of a number, and of groups that are looked at.
    private static let fewestDigits = 7
    private static let mostGroups = 7

    /// The groups of digits that begin at a token.
    private struct Groups {
        /// How many digits each has.
        var lengths: [Int] = []
        var gaps: [TextToken.Gap] = []
        var digits: [UInt8] = []
    }

    static func find(in text: ScannedText, at index: Int, into found: inout [EntityFinding]) {
        let token = text.tokens[index]
        guard token.count <= 15, !isMoney(text.byte(token.start - 1)) else { return }
        let isInternational =
            text.byte(token.start - 1) == 0x2B && !ASCII.isDigit(text.byte(token.start - 2))
        // Most numbers are neither long nor followed by another one.
        guard
            isInternational || token.count >= 7
                || token.count >= 1 && joins(token.gap)
                    && index + 1 < text.tokens.count && text.tokens[index + 1].kind == .digits
        else { return }
        if index > 0, text.tokens[index - 1].kind == .digits,
            joins(text.tokens[index - 1].gap),
            text.tokens[index - 1].gap != .space, !isInternational
        {
            return
        }
        guard let groups = groups(in: text, from: index) else { return }
        let match =
            isInternational
            ? international(groups, prefix: 0)
            : exit(groups) ?? american(groups, in: text, from: index)
                ?? trunk(groups) ?? called(groups, in: text, from: index)
        guard let match else { return }
        let last = index + match.count - 1
        guard isInternational || text.isIsolated(index, through: last) else { return }
        let opensBefore = text.byte(token.start - 1) == 0x28 && groups.gaps.first == .closing
        let start = token.start - (isInternational || opensBefore ? 1 : 0)
        found.append(
            EntityFinding(
                entity: .phoneNumber, range: start..<text.tokens[last].end, score: match.score))
    }

    /// How many groups a number has, and how sure that is.
    private struct Match {
        let count: Int
        let score: Int
    }

    private static func isMoney(_ byte: UInt8) -> Bool { byte == 0x24 || byte == 0x23 }

    /// The groups that begin at a token; nil when they have too few digits for any number. Counted
    /// first: every number of a text is looked at, and most are none.
    private static func groups(in text: ScannedText, from first: Int) -> Groups? {
        var end = first
        var digits = 0
        while end < text.tokens.count, end - first < mostGroups {
            let token = text.tokens[end]
            guard token.kind == .digits, digits + token.count <= 17 else { break }
            digits += token.count
            end += 1
            guard joins(token.gap) else { break }
        }
        guard digits >= fewestDigits else { return nil }
        var groups = Groups()
        groups.digits.reserveCapacity(digits)
        for index in first..<end {
            let token = text.tokens[index]
            groups.lengths.append(token.count)
            for place in token.range { groups.digits.append(text.bytes[place]) }
            if joins(token.gap) { groups.gaps.append(token.gap) }
        }
        return groups
    }

    /// The most groups that make a number of its country behind `prefix` digits. A `(0)` is not
    /// dialled with the country's code.
    private static func international(_ groups: Groups, prefix: Int) -> Match? {
        guard let lengths = PhoneCountries.lengths(groups.digits.dropFirst(prefix)) else {
            return nil
        }
        var digits = -prefix
        var best: Int?
        for (index, length) in groups.lengths.enumerated() {
            let isTrunk =
                length == 1 && index > 0 && groups.gaps[index - 1] == .opening
                && groups.gaps.count > index && groups.gaps[index] == .closing
            digits += isTrunk ? 0 : length
            if digits > lengths.upperBound { break }
            let isExtension = length == 1 && index > 0 && groups.gaps[index - 1] != .hyphen
            if lengths.contains(digits), !isExtension { best = index + 1 }
        }
        return best.map { Match(count: $0, score: 90) }
    }

    /// `0044 20 7946 0958`: two zeros instead of the sign, and groups.
    private static func exit(_ groups: Groups) -> Match? {
        guard groups.digits.starts(with: [0x30, 0x30]), groups.lengths.count > 1,
            let match = international(groups, prefix: 2), match.count > 1
        else { return nil }
        return Match(count: match.count, score: 80)
    }

    /// `(202) 555-0143`, `202-555-0143`, `1 202 555 0143`; with spaces alone a word must say so.
    private static func american(
        _ groups: Groups, in text: ScannedText, from first: Int
    ) -> Match? {
        let isLong = groups.lengths.starts(with: [1, 3, 3, 4]) && groups.digits[0] == 0x31
        guard isLong || groups.lengths.starts(with: [3, 3, 4]) else { return nil }
        let start = isLong ? 1 : 0
        guard isAreaOrExchange(groups.digits[start..<start + 3]),
            isAreaOrExchange(groups.digits[(start + 3)..<(start + 6)])
        else { return nil }
        let between = groups.gaps[start..<start + 2]
        let count = start + 3
        if between.first == .closing {
            guard text.byte(text.tokens[first + start].start - 1) == 0x28 else { return nil }
            return Match(count: count, score: 90)
        }
        guard between.first == between.last else { return nil }
        if between.first == .hyphen || between.first == .dot {
            return Match(count: count, score: 85)
        }
        guard between.first == .space, isLong || isCalled(text, first, count) else { return nil }
        return Match(count: count, score: isCalled(text, first, count) ? 85 : 65)
    }

    /// Three digits from 200 on that do not end in 11.
    private static func isAreaOrExchange(_ digits: ArraySlice<UInt8>) -> Bool {
        guard let first = digits.first, first >= 0x32 else { return false }
        return !digits.dropFirst().elementsEqual([0x31, 0x31])
    }

    /// National numbers with a zero before them, in the groups of France and Britain.
    private static func trunk(_ groups: Groups) -> Match? {
        let second = groups.digits.count > 1 ? groups.digits[1] : 0
        guard groups.digits.first == 0x30, second >= 0x31, let gap = groups.gaps.first else {
            return nil
        }
        let shapes: [(lengths: [Int], seconds: ClosedRange<UInt8>, gaps: [TextToken.Gap])] = [
            ([2, 2, 2, 2, 2], 0x31...0x39, [.space, .dot, .hyphen]),
            ([5, 6], 0x31...0x37, [.space, .hyphen]), ([5, 3, 3], 0x31...0x37, [.space, .hyphen]),
            ([4, 3, 4], 0x31...0x38, [.space, .hyphen]),
            ([3, 4, 4], 0x32...0x32, [.space, .hyphen]),
        ]
        for shape in shapes
        where groups.lengths.starts(with: shape.lengths) && shape.seconds.contains(second)
            && shape.gaps.contains(gap)
            && groups.gaps.prefix(shape.lengths.count - 1).allSatisfy({ $0 == gap })
        {
            return Match(count: shape.lengths.count, score: 75)
        }
        return nil
    }

    /// Seven to thirteen digits that a word calls a telephone number.
    private static func called(
        _ groups: Groups, in text: ScannedText, from first: Int
    ) -> Match? {
        var digits = 0
        var count = 0
        for (index, length) in groups.lengths.enumerated() {
            guard length > 1 || index == 0, digits + length <= 13 else { break }
            digits += length
            count = index + 1
        }
        guard digits >= 7, isCalled(text, first, count) else { return nil }
        return Match(count: count, score: 70)
    }

    private static func isCalled(_ text: ScannedText, _ first: Int, _ count: Int) -> Bool {
        let context = text.context(of: first, through: first + count - 1)
        return context.contains(.phone) && !context.contains(.reference)
    }
}
