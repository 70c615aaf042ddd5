public import Domain

/// An event, with its way to one webhook.
public struct EventStatus: Sendable, Equatable {
    /// How far a delivery is.
    public enum State: Int16, Sendable, CaseIterable {
        case pending = 1
        case delivered = 2
        case dead = 3

        /// The word in commands.
        public var name: String {
            switch self {
            case .pending: "pending"
            case .delivered: "delivered"
            case .dead: "dead"
            }
        }
    }

    /// The way of an event to one webhook.
    public struct Delivery: Sendable, Equatable {
        /// The webhook's name.
        public let webhook: String
        /// How far it is.
        public let state: State
        /// How often it was tried.
        public let attempts: Int64
        /// When it is tried next, while it is pending.
        public let dueAt: Timestamp
        /// What the receiver answered last; nil without an answer.
        public let status: Int?
        /// Why it was not taken the last time; nil for none.
        public let fault: String?
        /// When it was delivered or given up.
        public let endedAt: Timestamp?

        /// Makes a delivery's standing.
        public init(
            webhook: String, state: State, attempts: Int64, dueAt: Timestamp, status: Int?,
            fault: String?, endedAt: Timestamp?
        ) {
            self.webhook = webhook
            self.state = state
            self.attempts = attempts
            self.dueAt = dueAt
            self.status = status
            self.fault = fault
            self.endedAt = endedAt
        }
    }

    /// What happened.
    public let event: QuotaEvent
    /// Where word of it goes; nil where no webhook took such events when it happened.
    public let delivery: Delivery?

    /// Makes an event's standing.
    public init(event: QuotaEvent, delivery: Delivery?) {
        self.event = event
        self.delivery = delivery
    }
}
