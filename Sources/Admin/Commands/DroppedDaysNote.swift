import Domain
import Ledger

/// What a report says of days whose records were dropped.
struct DroppedDaysNote {
    let dropped: DroppedDays

    /// Beside a table.
    var text: String {
        "Records of \(Self.text(dropped.days)) were dropped: of those, whole days of UTC count."
            + (unknown.map { " " + $0 } ?? "")
    }

    /// What nobody knows any more; nil where there is no such day.
    var unknown: String? {
        dropped.unknown.map {
            "Nothing is known of days within \(Self.text($0)) that an earlier version dropped."
        }
    }

    private static func text(_ days: ClosedRange<CalendarDay>) -> String {
        days.lowerBound == days.upperBound
            ? days.lowerBound.description : "\(days.lowerBound) to \(days.upperBound)"
    }
}
