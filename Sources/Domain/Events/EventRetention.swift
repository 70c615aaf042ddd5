/// How long events are kept, in whole days. What is still to be delivered is kept in any case, and so
/// is the event of a quota that runs with the limit that it tells of, lest it be told twice.
public struct EventRetention: Sendable, Hashable {
    /// Events that were delivered, or that went nowhere.
    public var keepDays: Int32
    /// Events with a delivery that was given up, counted from then; less than ``keepDays`` counts as
    /// that.
    public var keepDeadDays: Int32

    /// Makes a retention.
    public init(keepDays: Int32, keepDeadDays: Int32) {
        self.keepDays = keepDays
        self.keepDeadDays = keepDeadDays
    }

    /// What holds unless the configuration says otherwise.
    public static let usual = EventRetention(keepDays: 90, keepDeadDays: 365)
}
