import Domain

/// A moment as it is typed: so long from now, or a date.
enum TimeArgument: Equatable {
    /// A unit of a span.
    enum Unit: Int64 {
        case minute = 60
        case hour = 3_600
        case day = 86_400
        case week = 604_800
    }

    /// So many units.
    case span(Int64, Unit)
    /// A whole day, of whatever time zone the command is about.
    case date(CalendarDay)
    /// An instant, in UTC.
    case instant(Timestamp)

    /// What is wrong with a value and what would be right.
    struct Fault: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// Longer spans are mistakes: a hundred years.
    private static let longestSeconds: Int64 = 36_525 * 86_400

    /// Reads `90d`, `24h`, `30m`, `2w`, `2026-11-01` or `2026-11-01T08:00:00Z`.
    static func parse(_ text: String) throws(Fault) -> TimeArgument {
        if let instant = try date(text) {
            return text.utf8.count == 10 ? .date(instant.day) : .instant(instant)
        }
        let units: [Character: Unit] = ["m": .minute, "h": .hour, "d": .day, "w": .week]
        guard let last = text.last, let unit = units[last],
            text.dropLast().utf8.allSatisfy({ (48...57).contains($0) }), text.utf8.count > 1
        else {
            throw Fault(
                description: "give a span such as 90d, 24h, 30m or 2w, or a date such as 2026-11-01"
            )
        }
        guard let count = Int64(text.dropLast()), count <= longestSeconds / unit.rawValue else {
            throw Fault(description: "that is more than a hundred years")
        }
        guard count > 0 else {
            throw Fault(description: "a span is longer than nothing, such as 1h")
        }
        return .span(count, unit)
    }

    /// The instant so long after `now`, or the date itself.
    func after(_ now: Timestamp) -> Timestamp {
        switch self {
        case .span(let count, let unit): now + .seconds(count * unit.rawValue)
        case .date(let day): day.start
        case .instant(let instant): instant
        }
    }

    /// The instant so long before `now`, or the date itself. Days and weeks begin at midnight UTC,
    /// so that a report by day has whole days; other instants are rounded down to the hour, the
    /// finest that is kept.
    func before(_ now: Timestamp) -> Timestamp { before(now, in: .utc) }

    /// The same with the midnights of a place. One that is not on a full hour of UTC is rounded up:
    /// the hour that holds it counts for the day in which it begins.
    func before(_ now: Timestamp, in place: LocalTime) -> Timestamp {
        switch self {
        case .span(_, .day), .span(_, .week):
            place.start(of: place.day(of: beforeExactly(now))).endOfHour
        case .date(let day): place.start(of: day).endOfHour
        case .span, .instant: beforeExactly(now).startOfHour
        }
    }

    /// The end of a report: the first full hour that is not before the instant so long before
    /// `now`, or before the beginning of the date in a place.
    func end(before now: Timestamp, in place: LocalTime) -> Timestamp {
        if case .date(let day) = self { return place.start(of: day).endOfHour }
        return beforeExactly(now).endOfHour
    }

    /// The instant so long before `now`, or the date itself, not rounded.
    func beforeExactly(_ now: Timestamp) -> Timestamp {
        switch self {
        case .span(let count, let unit): now + .seconds(-count * unit.rawValue)
        case .date(let day): day.start
        case .instant(let instant): instant
        }
    }

    /// Reads `YYYY-MM-DD`, alone or with `THH:MM[:SS]Z`; nil when the text does not begin as a date.
    private static func date(_ text: String) throws(Fault) -> Timestamp? {
        if let instant = Timestamp(utc: text) { return instant }
        let day = text.prefix(10)
        guard day.wholeMatch(of: #/[0-9]{4}-[0-9]{2}-[0-9]{2}/#) != nil else {
            return nil
        }
        guard Timestamp(utc: day) != nil else { throw Fault(description: "there is no such day") }
        throw Fault(description: "give a time in UTC such as 2026-11-01T08:00Z, or the day alone")
    }
}
