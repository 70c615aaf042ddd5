/// Reads a date or a time at one place of a text. Looks a bounded way ahead.
struct DateReader {
    private let bytes: [UInt8]
    private var index: Int
    private var date: WrittenDate

    private init(_ bytes: [UInt8], at start: Int) {
        self.bytes = bytes
        index = start
        date = WrittenDate(end: start)
    }

    /// The date or the time that begins at `start`; nil when none does.
    static func read(_ bytes: [UInt8], at start: Int) -> WrittenDate? {
        var reader = DateReader(bytes, at: start)
        for form in Form.allCases {
            if reader.read(form), reader.isBordered() {
                reader.date.end = reader.index
                return reader.date
            }
            reader.index = start
            if !reader.date.parts.isEmpty { reader.date = WrittenDate(end: start) }
        }
        return nil
    }

    /// How a date or a time may be written, in the order in which they are tried.
    private enum Form: CaseIterable {
        case yearFirst, numbers, dayAndName, nameFirst, time
    }

    private mutating func read(_ form: Form) -> Bool {
        switch form {
        case .yearFirst: readYearFirst()
        case .numbers: readNumbers()
        case .dayAndName: readDayAndName()
        case .nameFirst: readNameFirst()
        case .time: readTime()
        }
    }

    private func byte(_ offset: Int = 0) -> UInt8 {
        index + offset < bytes.count ? bytes[index + offset] : 0
    }

    /// Whether what was read is not the start of something longer.
    private func isBordered() -> Bool {
        if ASCII.isWord(byte()) { return false }
        // A colon goes on with hexadecimal digits too: a hardware address is no time.
        if byte() == 0x3A { return !ASCII.isAlphanumeric(byte(1)) }
        let joins = byte() == 0x2D || byte() == 0x2F || byte() == 0x2E
        return !(joins && ASCII.isDigit(byte(1)))
    }

    /// Reads a number of so many digits; nil, and nothing is read, when there is none.
    private mutating func number(_ digits: ClosedRange<Int>) -> (value: Int, range: Range<Int>)? {
        let start = index
        var value = 0
        var end = index
        while end < bytes.count, end - start <= digits.upperBound, ASCII.isDigit(bytes[end]) {
            value = value * 10 + Int(bytes[end]) - 0x30
            end += 1
        }
        guard digits.contains(end - start) else { return nil }
        index = end
        return (value, start..<end)
    }

    /// Skips a text, whatever the size of its letters. Asked for every number of a text, so nothing
    /// is copied.
    private mutating func skip(_ text: String) -> Bool {
        var end = index
        for byte in text.utf8 {
            guard end < bytes.count, ASCII.lower(bytes[end]) == byte else { return false }
            end += 1
        }
        index = end
        return true
    }

    private mutating func skipSeparator(_ allowed: [UInt8]) -> UInt8? {
        guard allowed.contains(byte()) else { return nil }
        index += 1
        return bytes[index - 1]
    }

    /// `2024-01-15`, with a time behind it or not.
    private mutating func readYearFirst() -> Bool {
        guard let year = number(4...4), Self.isYear(year.value),
            let separator = skipSeparator([0x2D, 0x2F, 0x2E]), let month = number(1...2),
            skipSeparator([separator]) != nil, let day = number(1...2),
            Calendar.isDay(day.value, ofMonth: month.value)
        else { return false }
        date.parts = [(.year, year.range), (.month, month.range), (.day, day.range)]
        readTimeBehind()
        return true
    }

    /// `15/01/2024`, `01/15/2024`, `15.1.2024`, `15-01-2024`, `15/01/24`.
    private mutating func readNumbers() -> Bool {
        guard let first = number(1...2), let separator = skipSeparator([0x2D, 0x2F, 0x2E]),
            let second = number(1...2), skipSeparator([separator]) != nil
        else { return false }
        if let year = number(4...4) {
            guard Self.isYear(year.value) else { return false }
            date.parts = [(.year, year.range)]
        } else if let year = number(2...2), separator != 0x2D {
            // "1.2.03" is a version rather than a day.
            guard separator == 0x2F || first.range.count + second.range.count == 4 else {
                return false
            }
            date.parts = [(.year, year.range)]
        } else {
            return false
        }
        if Calendar.isDay(first.value, ofMonth: second.value) {
            date.parts = [(.day, first.range), (.month, second.range)] + date.parts
        } else if separator != 0x2E, Calendar.isDay(second.value, ofMonth: first.value) {
            date.parts = [(.month, first.range), (.day, second.range)] + date.parts
        } else {
            return false
        }
        readTimeBehind()
        return true
    }

    /// `15 January 2024`, `15th of January`, `15. Januar 2024`, `15 de enero de 2024`, `15-Jan-2024`.
    private mutating func readDayAndName() -> Bool {
        guard let day = number(1...2), day.value >= 1, day.value <= 31 else { return false }
        _ = skipOrdinal() || skip(".")
        guard skip(" of ") || skip(" de ") || skip(" ") || skip("-") || skip("\u{A0}"),
            let month = monthName()
        else { return false }
        date.parts = [(.day, day.range), (.monthName(form: month.form), month.range)]
        let behindName = index
        if skip(" de ") || skip(", ") || skip(" ") || skip("-"), let year = number(4...4),
            Self.isYear(year.value)
        {
            date.parts.append((.year, year.range))
            readTimeBehind()
        } else {
            index = behindName
        }
        return true
    }

    /// `January 15, 2024`, `Jan 15th`, `January 2024`.
    private mutating func readNameFirst() -> Bool {
        // "may 3" is a verb as often as a month.
        guard ASCII.isUpper(byte()), let month = monthName() else { return false }
        _ = skip(".")
        guard skip(" ") else { return false }
        date.parts = [(.monthName(form: month.form), month.range)]
        if let year = number(4...4) {
            date.parts.append((.year, year.range))
            return Self.isYear(year.value)
        }
        guard let day = number(1...2), day.value >= 1, day.value <= 31 else { return false }
        _ = skipOrdinal()
        date.parts.append((.day, day.range))
        let behindDay = index
        if skip(", ") || skip(" "), let year = number(4...4), Self.isYear(year.value) {
            date.parts.append((.year, year.range))
            readTimeBehind()
        } else {
            index = behindDay
        }
        return true
    }

    /// `14:30`, `14:30:15`, `2:30 pm`.
    private mutating func readTime() -> Bool {
        guard let hour = number(1...2), hour.value <= 24, skip(":"), let minute = number(2...2),
            minute.value < 60
        else { return false }
        var parts: [(WrittenDate.Part, Range<Int>)] = [(.minute, minute.range)]
        let behindMinute = index
        if skip(":"), let second = number(2...2), second.value < 60 {
            parts.append((.second, second.range))
            if byte() == 0x2E, ASCII.isDigit(byte(1)) {
                index += 1
                _ = number(1...9)
            }
        } else {
            index = behindMinute
        }
        let isHalfDay = hour.value >= 1 && hour.value <= 12 && skipHalf()
        // "3:16" alone is as likely a verse or a ratio.
        guard isHalfDay || hour.range.count == 2 || parts.count == 2 else { return false }
        date.parts += [(isHalfDay ? .halfDayHour : .hour, hour.range)] + parts
        return true
    }

    /// A time behind a date, with its zone, when there is one.
    private mutating func readTimeBehind() {
        let behindDate = index
        let partsBefore = date.parts
        guard skip(", ") || skip(" at ") || skip("t") || skip(" "), readTime() else {
            index = behindDate
            return
        }
        let behindTime = index
        if skip("z") || skipOffset() { return }
        index = behindTime
        if !isBordered() {
            index = behindDate
            date.parts = partsBefore
        }
    }

    /// `+01:00`
    private mutating func skipOffset() -> Bool {
        (skip("+") || skip("-")) && number(2...2) != nil && skip(":") && number(2...2) != nil
    }

    private mutating func skipHalf() -> Bool {
        let start = index
        _ = skip(" ")
        if skip("a.m.") || skip("p.m.") || skip("am") || skip("pm"), !ASCII.isWord(byte()) {
            return true
        }
        index = start
        return false
    }

    private mutating func skipOrdinal() -> Bool {
        skip("st") || skip("nd") || skip("rd") || skip("th")
    }

    private mutating func monthName() -> (form: Int, range: Range<Int>)? {
        var end = index
        while end < bytes.count, end - index <= MonthNames.longest,
            ASCII.isLetter(bytes[end]) || bytes[end] >= 0x80
        {
            end += 1
        }
        guard end > index, let form = MonthNames.form(of: bytes[index..<end]) else { return nil }
        let range = index..<end
        index = end
        return (form, range)
    }

    private static func isYear(_ year: Int) -> Bool { (1900...2099).contains(year) }
}
