import Domain
import Foundation

/// The days and hours of a place: of a time zone of the IANA database, such as `Europe/Berlin`.
struct LocalTime: Sendable, Equatable {
    /// The zone's name as it was given.
    let name: String
    private let zone: TimeZone

    /// Coordinated universal time.
    static let utc = LocalTime(name: "UTC", zone: .gmt)

    private init(name: String, zone: TimeZone) {
        self.name = name
        self.zone = zone
    }

    /// Finds a zone by its name; nil where the machine has none of that name.
    init?(_ name: String) {
        if ["UTC", "Z", "GMT"].contains(name) {
            self = .utc
            return
        }
        // Offsets such as GMT+2 have no summer: whoever asks for one means a place.
        guard name.contains("/"), let zone = TimeZone(identifier: name) else { return nil }
        self.init(name: name, zone: zone)
    }

    /// Whether it is UTC itself, in which the books are kept.
    var isUTC: Bool { self == .utc }

    /// Seconds that its clocks are ahead of UTC at an instant.
    func offset(at instant: Timestamp) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant.seconds))))
    }

    /// Whether its clocks show another minute than those of UTC do: by half an hour in India, by
    /// three quarters in Nepal.
    func isBetweenHours(at instant: Timestamp) -> Bool { offset(at: instant) % 3600 != 0 }

    /// What its clocks and calendars show, as if it were UTC.
    func shown(_ instant: Timestamp) -> Timestamp { instant + .seconds(offset(at: instant)) }

    /// The day that its calendars show.
    func day(of instant: Timestamp) -> CalendarDay { shown(instant).day }

    /// The hour that its clocks show, 0 to 23.
    func hour(of instant: Timestamp) -> Int {
        let shown = shown(instant)
        return Int((shown.seconds - shown.day.start.seconds) / 3600)
    }

    /// The first second of a day, on which clocks need not show midnight: in some zones summer
    /// begins at that moment.
    func start(of day: CalendarDay) -> Timestamp {
        if isUTC { return day.start }
        // No clock is more than 26 hours away from another one.
        var before = day.start + .seconds(-26 * 3600)
        var after = day.start + .seconds(26 * 3600)
        while after.seconds - before.seconds > 1 {
            let middle = Timestamp(
                microseconds: (before.seconds + after.seconds) / 2 * 1_000_000)
            if self.day(of: middle) < day { before = middle } else { after = middle }
        }
        return after
    }

    /// ISO 8601 with the offset: `2026-11-21T09:00:00+01:00`, `…Z` in UTC.
    func iso(_ instant: Timestamp) -> String {
        let text = TimeText.iso(shown(instant))
        if isUTC { return text }
        let offset = offset(at: instant)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return text.dropLast() + (offset < 0 ? "-" : "+") + two(abs(offset) / 3600) + ":"
            + two(abs(offset) / 60 % 60)
    }
}
