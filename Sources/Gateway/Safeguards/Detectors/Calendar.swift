/// The days that months have, where the year does not matter.
enum Calendar {
    private static let days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

    /// Whether the month of some year has that day.
    static func isDay(_ day: Int, ofMonth month: Int) -> Bool {
        month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1]
    }
}
