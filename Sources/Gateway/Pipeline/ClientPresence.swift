import Domain
import Synchronization

/// Whether anybody still waits for a request's answer. One per connection; set once.
final class ClientPresence: Sendable {
    /// Why nobody waits any more.
    enum Departure: Sendable, Equatable {
        /// The client closed its connection, or stopped reading.
        case clientGone
        /// The gateway stops and does not wait longer.
        case drained
        /// The key may not be used any more.
        case keyEnded(KeyEnd)

        /// What a client is told that waits all the same.
        var failure: GatewayFailure {
            switch self {
            case .clientGone: .clientGone
            case .drained: .draining
            case .keyEnded(.revoked): .keyRefused
            case .keyEnded(.suspended(let kind)): .keySuspended(kind)
            }
        }

        /// What the request's end is.
        var outcome: SettlementDecision.Outcome {
            switch self {
            case .clientGone: .clientGone
            case .drained: .drained
            case .keyEnded: .keyEnded
            }
        }
    }

    private let state = Mutex<Departure?>(nil)

    /// Why nobody waits any more; nil while the client is there.
    var departure: Departure? { state.withLock { $0 } }

    /// Notes a departure; the first one holds. Returns whether this was it.
    @discardableResult
    func leave(_ departure: Departure) -> Bool {
        state.withLock { state in
            if state != nil { return false }
            state = departure
            return true
        }
    }
}
