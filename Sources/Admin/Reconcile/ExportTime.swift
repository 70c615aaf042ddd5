import Domain

/// The time that a row of an export is about.
struct ExportTime: Equatable {
    /// Its first instant.
    let start: Timestamp
    /// The first instant after it.
    let end: Timestamp

    /// Reads the time of a row by whichever of the providers' fields it has.
    static func read(_ value: (String) -> String?) throws(ExportFault) -> ExportTime {
        func text(_ names: String...) -> String? {
            for name in names { if let text = value(name), !text.isEmpty { return text } }
            return nil
        }
        if let date = text("usage_date_utc") {
            let start = try instant(date, "usage_date_utc")
            let width: Duration = .seconds(date.utf8.count <= 10 ? 86_400 : 60)
            return ExportTime(start: start, end: start + width)
        }
        guard let first = text("start_time", "start_time_iso", "starting_at") else {
            throw ExportFault(message: "there is no start_time, starting_at or usage_date_utc")
        }
        guard let last = text("end_time", "end_time_iso", "ending_at") else {
            throw ExportFault(message: "there is no end_time or ending_at")
        }
        let time = ExportTime(
            start: try instant(first, "the start"), end: try instant(last, "the end"))
        guard time.start < time.end, time.end - time.start <= .seconds(86_400) else {
            throw ExportFault(
                message: "its time is not within a day: export by day, hour or minute")
        }
        return time
    }

    /// An instant in Unix seconds, or ISO 8601 with or without a zone; without one it is in UTC.
    static func instant(_ text: String, _ name: String) throws(ExportFault) -> Timestamp {
        // Until the year 9999.
        if let seconds = DecimalText.count(text), (0...253_402_300_799).contains(seconds) {
            return Timestamp(microseconds: Int64(seconds) * 1_000_000)
        }
        guard let found = iso(text) else {
            throw ExportFault(
                message: "\(name) is \(QuotedText.quoted(text)), neither Unix seconds nor ISO 8601")
        }
        return found
    }

    private static func iso(_ text: String) -> Timestamp? {
        let pattern =
            #/(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(Z|UTC|[+-]\d\d:\d\d)?)?/#
        guard let match = text.wholeMatch(of: pattern) else { return nil }
        func number(_ part: Substring?) -> Int64 { part.flatMap { Int64($0) } ?? 0 }
        let (year, month, day) = (number(match.1), number(match.2), number(match.3))
        guard year >= 1970, (1...12).contains(month) else { return nil }
        let date = CalendarDay(year: Int(year), month: Int(month), day: Int(day))
        let (hour, minute, second) = (number(match.4), number(match.5), number(match.6))
        guard date.civil.day == Int(day), hour < 24, minute < 60, second < 60 else { return nil }
        var seconds = hour * 3600 + minute * 60 + second
        if let zone = match.7, zone.hasPrefix("+") || zone.hasPrefix("-") {
            let parts = zone.dropFirst().split(separator: ":").map { number($0) }
            let offset = parts[0] * 3600 + parts[1] * 60
            seconds -= zone.hasPrefix("-") ? -offset : offset
        }
        return date.start + .seconds(seconds)
    }
}
