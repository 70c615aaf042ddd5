public import Domain

/// Decides when a file that is being changed may be read: once nothing has happened to it for a
/// moment, so that a change in several steps is read once and whole. Pure: the caller supplies the
/// time.
public struct ChangeSettling: Sendable {
    /// What happens to a file.
    public enum Step: Sendable {
        /// A part of it was written, and its writer still has it open.
        case partly
        /// It is whole, as far as one can see: its writer has closed it, or another file, link or
        /// folder took its place.
        case wholly
    }

    /// How long nothing may have happened to it before it is read.
    public static let stillness = Duration.milliseconds(250)
    /// How long a writer that has it open may be silent before it is read nevertheless.
    public static let openStillness = Duration.seconds(5)
    /// The longest that steps which go on and on may hold off the reading.
    public static let patience = Duration.seconds(30)

    private struct Change {
        let first: Uptime
        var last: Uptime
        var step: Step
    }

    private var change: Change?

    /// Nothing has happened yet.
    public init() {}

    /// Takes note of a step.
    public mutating func note(_ step: Step, at now: Uptime) {
        change = Change(first: change?.first ?? now, last: now, step: step)
    }

    /// When to ask ``settles(at:)`` next; nil while nothing has changed.
    public var dueAt: Uptime? {
        change.map { change in
            let wait = change.step == .wholly ? Self.stillness : Self.openStillness
            return min(change.last + wait, change.first + Self.patience)
        }
    }

    /// Whether what was noted has settled. Says so once.
    public mutating func settles(at now: Uptime) -> Bool {
        guard let due = dueAt, due <= now else { return false }
        change = nil
        return true
    }
}
