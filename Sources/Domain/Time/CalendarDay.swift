/// A UTC calendar day, counted from 1970-01-01.
public struct CalendarDay: Sendable, Hashable, Comparable {
    /// Days since 1970-01-01.
    public let rawValue: Int32

    /// Makes the day `rawValue` days after 1970-01-01.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The instant at which the day begins.
    public var start: Timestamp { Timestamp(microseconds: Int64(rawValue) * 86_400_000_000) }

    /// The following day.
    public var next: CalendarDay { CalendarDay(rawValue: rawValue + 1) }

    /// Year, month (1...12) and day of the month in the proleptic Gregorian calendar.
    ///
    /// The algorithm is Howard Hinnant's `civil_from_days`: exact for every `Int32` in use here, no
    /// table.
    public var civil: (year: Int, month: Int, day: Int) {
        let shifted = Int(rawValue) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// Makes the day of a date in the proleptic Gregorian calendar (`days_from_civil`, same
    /// source).
    public init(year: Int, month: Int, day: Int) {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.init(rawValue: Int32(clamping: era * 146_097 + dayOfEra - 719_468))
    }

    /// The first day of this day's month.
    public var firstOfMonth: CalendarDay {
        CalendarDay(rawValue: rawValue - Int32(civil.day - 1))
    }

    /// The first day of the month after this day's.
    public var firstOfNextMonth: CalendarDay {
        let (year, month, _) = civil
        return month == 12
            ? CalendarDay(year: year + 1, month: 1, day: 1)
            : CalendarDay(year: year, month: month + 1, day: 1)
    }

    /// The earlier comes first.
    public static func < (left: CalendarDay, right: CalendarDay) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension CalendarDay: CustomStringConvertible {
    /// ISO 8601: `2026-11-21`.
    public var description: String {
        let (year, month, day) = civil
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }
}
