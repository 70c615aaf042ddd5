public import Domain

/// What retention did with the days that are old enough.
public struct RetentionReport: Sendable, Hashable {
    /// A day whose records were sealed and dropped.
    public struct Dropped: Sendable, Hashable {
        /// The day.
        public let day: CalendarDay
        /// How many records it had.
        public let records: Int64
    }

    /// Why it went no further. Days are dropped in order, so what holds up one holds up those after
    /// it.
    public enum Obstacle: Sendable, Hashable {
        /// The audit found differences, on this day or any other.
        case differences([AuditFinding])
        /// Requests that were admitted on the day are open and will get their records.
        case openRequests(CalendarDay, count: Int64)
        /// The day's seal is not what its records add up to: they changed after an audit had proved
        /// them.
        case sealDiffers(CalendarDay)
        /// Somebody reads or writes records for so long that the partition could not be taken away.
        case busy(CalendarDay)
    }

    /// What was dropped, in order.
    public var dropped: [Dropped] = []
    /// Why it stopped early; nil when it did not.
    public var obstacle: Obstacle?

    /// Makes an empty report.
    public init() {}
}
