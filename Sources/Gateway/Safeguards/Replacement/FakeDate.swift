/// Invented dates and times in the writing of another.
enum FakeDate {
    /// A date written like `value`; nil when `value` is not one that is understood.
    static func make(
        like value: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8]? {
        guard let date = DateReader.read(value, at: 0), date.end == value.count else { return nil }
        var fake: [UInt8] = []
        var copied = 0
        for (part, range) in date.parts.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            fake += value[copied..<range.lowerBound]
            if case .monthName(let form) = part {
                fake += monthName(of: form, like: value[range], using: &random)
            } else {
                let suffix = Array(value[range.upperBound...].prefix(2).map(ASCII.lower))
                let number = random.pick(numbers(for: part, width: range.count, suffix: suffix))
                let digits = FakeValue.padded(number, max(range.count, number > 9 ? 2 : 1))
                fake += FakeValue.characters(digits)
            }
            copied = range.upperBound
        }
        return fake + value[copied...]
    }

    private static func monthName(
        of form: Int, like name: ArraySlice<UInt8>, using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        let text = String(decoding: name, as: UTF8.self)
        let chosen = random.pick(MonthNames.forms[form])
        if text == text.uppercased() { return Array(chosen.uppercased().utf8) }
        guard text.first?.isUppercase == true else { return Array(chosen.utf8) }
        return Array((chosen.prefix(1).uppercased() + chosen.dropFirst()).utf8)
    }

    /// What a part may become: as wide as it was, before an English ending the days that have it,
    /// and no day that a month lacks.
    private static func numbers(
        for part: WrittenDate.Part, width: Int, suffix: [UInt8]
    ) -> [Int] {
        let narrow = width == 1
        switch part {
        case .year: return Array(width == 4 ? 1950...2023 : 50...99)
        case .month, .monthName: return Array(narrow ? 1...9 : 1...12)
        case .day:
            switch String(decoding: suffix, as: UTF8.self) {
            case "st": return [1, 21]
            case "nd": return [2, 22]
            case "rd": return [3, 23]
            case "th": return Array(4...20)
            default: return Array(narrow ? 1...9 : 1...28)
            }
        case .hour: return Array(narrow ? 1...9 : 0...23)
        case .halfDayHour: return Array(narrow ? 1...9 : 10...12)
        case .minute, .second: return Array(0...59)
        }
    }
}
