import Domain
import Synchronization

/// What is learnt about a request on its way, for its line in the access log. Counts and names
/// only, never text.
final class RequestNotes: Sendable {
    /// What is known so far.
    struct Content: Sendable {
        var principal: Principal?
        var model: String?
        var backend: String?
        var settlement: Settlement?
        /// The inside text of a failure: for the log only.
        var failure: String?
    }

    private let state = Mutex(Content())

    /// What is known now.
    var content: Content { state.withLock { $0 } }

    /// Adds to what is known.
    func update(_ change: (inout Content) -> Void) { state.withLock { change(&$0) } }
}
