import Domain
import Ledger

/// The hours that a report is about, in the calendar of a place.
struct UsageSpan: Equatable {
    /// A full hour.
    let begin: Timestamp
    /// The first instant that is not counted, a full hour; nil where the report is up to now.
    let end: Timestamp?
    /// The ledger's time.
    let now: Timestamp
    /// Whose midnights and months count.
    let place: LocalTime

    /// The end, or now.
    var last: Timestamp { end ?? now.endOfHour }

    /// The span of the same length before this one. One that begins with a day is moved by whole
    /// days, so that days lie upon days, whatever summer time does between them; one that begins
    /// with a month, in a report by month, by whole months; else by hours.
    func before(_ grouping: UsageQuery.Grouping) -> UsageSpan {
        let shift = shift(grouping)
        return UsageSpan(
            begin: moved(begin, by: shift), end: moved(last, by: shift), now: now, place: place)
    }

    /// How far back the span before lies.
    enum Shift: Equatable {
        case months(Int)
        case days(Int32)
        case hours(Int64)
    }

    /// See ``before(_:)``.
    func shift(_ grouping: UsageQuery.Grouping) -> Shift {
        let first = place.day(of: begin)
        let final = place.day(of: last + .microseconds(-1))
        guard place.start(of: first).endOfHour == begin else {
            return .hours((last.seconds - begin.seconds) / 3600)
        }
        if grouping == .month, first == first.firstOfMonth {
            let (from, to) = (first.civil, final.civil)
            return .months((to.year - from.year) * 12 + to.month - from.month + 1)
        }
        return .days(final.rawValue - first.rawValue + 1)
    }

    /// An instant of this span in the one before.
    func moved(_ instant: Timestamp, by shift: Shift) -> Timestamp {
        switch shift {
        case .hours(let hours): return instant + .seconds(-hours * 3600)
        case .days(let days):
            let day = place.day(of: instant)
            return sameTime(instant, of: day, on: CalendarDay(rawValue: day.rawValue - days))
        case .months(let months):
            let day = place.day(of: instant)
            return sameTime(instant, of: day, on: Self.moved(day, byMonths: -months))
        }
    }

    /// The group of the row of this span that a row of the one before lies under.
    func counterpart(of group: UsageRow.Group, shift: Shift) -> UsageRow.Group {
        switch (group, shift) {
        case (.hour(let start), .hours(let hours)): .hour(start + .seconds(hours * 3600))
        case (.hour(let start), .days(let days)):
            .hour(moved(start, by: .days(-days)))
        case (.day(let day), .days(let days)): .day(CalendarDay(rawValue: day.rawValue + days))
        case (.day(let day), .hours(let hours)):
            .day(CalendarDay(rawValue: day.rawValue + Int32(clamping: (hours + 23) / 24)))
        case (.month(let first), .months(let months)):
            .month(Self.moved(first, byMonths: months))
        case (.month(let first), _): .month(Self.moved(first, byMonths: monthsBefore(shift)))
        default: group
        }
    }

    private func monthsBefore(_ shift: Shift) -> Int {
        let (from, to) = (place.day(of: moved(begin, by: shift)).civil, place.day(of: begin).civil)
        return (to.year - from.year) * 12 + to.month - from.month
    }

    /// The time that clocks show at `instant` on another day, on a full hour.
    private func sameTime(
        _ instant: Timestamp, of day: CalendarDay, on other: CalendarDay
    ) -> Timestamp {
        let sinceMidnight = instant.seconds - place.start(of: day).seconds
        return (place.start(of: other) + .seconds(sinceMidnight)).endOfHour
    }

    /// The same day of another month; of a shorter one the last.
    private static func moved(_ day: CalendarDay, byMonths months: Int) -> CalendarDay {
        let civil = day.civil
        let month = civil.year * 12 + civil.month - 1 + months
        let first = CalendarDay(year: month / 12, month: month % 12 + 1, day: 1)
        let length = first.firstOfNextMonth.rawValue - first.rawValue
        return CalendarDay(rawValue: first.rawValue + min(Int32(civil.day) - 1, length - 1))
    }
}
