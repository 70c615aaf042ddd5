import Domain

/// Instants as people and programs read them, always in UTC.
enum TimeText {
    /// ISO 8601 to the second: `2026-11-21T08:00:00Z`.
    static func iso(_ instant: Timestamp) -> String {
        "\(instant.day)T\(clock(instant, withSeconds: true))Z"
    }

    /// As short as it can be said: `2026-11-21` at midnight, else `2026-11-21 08:00`.
    static func short(_ instant: Timestamp) -> String {
        instant == instant.day.start
            ? instant.day.description : "\(instant.day) \(clock(instant, withSeconds: false))"
    }

    /// Hours and minutes: `08:00`.
    static func clock(_ instant: Timestamp) -> String { clock(instant, withSeconds: false) }

    private static func clock(_ instant: Timestamp, withSeconds: Bool) -> String {
        let seconds = instant.seconds - instant.day.start.seconds
        let parts = [seconds / 3600, seconds / 60 % 60] + (withSeconds ? [seconds % 60] : [])
        return parts.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
