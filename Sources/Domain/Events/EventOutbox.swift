/// A webhook as the ledger knows it: which events are put down for it.
public struct WebhookSubscription: Sendable, Hashable {
    /// Its name in the configuration, under which its deliveries are kept.
    public let name: String
    /// The name of the only organization whose events it gets; nil for all.
    public let organization: String?
    /// What it is told of. A test is for whoever it was made for.
    public let kinds: Set<QuotaEvent.Kind>

    /// Makes a subscription.
    public init(name: String, organization: String?, kinds: Set<QuotaEvent.Kind>) {
        self.name = name
        self.organization = organization
        self.kinds = kinds
    }

    /// Whether an event is for it.
    public func takes(_ kind: QuotaEvent.Kind, of organization: String) -> Bool {
        kinds.contains(kind) && (self.organization.map { $0 == organization } ?? true)
    }
}

/// An event on its way to one webhook, claimed by this node for a while.
public struct EventDelivery: Sendable, Hashable {
    /// What is told.
    public let event: QuotaEvent
    /// Whom.
    public let webhook: String
    /// Which try this is, counted from 1.
    public let attempt: Int64

    /// Makes a delivery.
    public init(event: QuotaEvent, webhook: String, attempt: Int64) {
        self.event = event
        self.webhook = webhook
        self.attempt = attempt
    }
}

/// Why a webhook did not take an event, in words that are safe to store and to show.
public struct DeliveryFault: Sendable, Hashable {
    /// What it answered; nil when there was no answer.
    public let status: Int?
    /// One sentence without any secret.
    public let reason: String

    /// Makes a fault.
    public init(status: Int?, reason: String) {
        self.status = status
        self.reason = reason
    }
}

/// What became of one try.
public enum DeliveryOutcome: Sendable, Hashable {
    /// The receiver has it, and said so with this status.
    case delivered(status: Int)
    /// It is to be tried again after so long.
    case retry(after: Duration, DeliveryFault)
    /// It is not tried again, unless an administrator asks for it.
    case dead(DeliveryFault)
}

/// The events that wait to be sent, kept by the ledger.
///
/// Each is delivered at least once: a node that dies between sending and ``note(_:of:)`` leaves a
/// claim that runs out, and the event is sent again under the same id.
public protocol EventOutbox: Sendable {
    /// Claims up to `most` deliveries to `webhook` whose time has come, for `lease`: until then no
    /// other node gets them. Throws when the ledger cannot be reached; then nothing is claimed.
    func claim(
        for webhook: String, most: Int, lease: Duration
    ) async throws(LedgerFault) -> [EventDelivery]

    /// Notes what became of a claimed delivery. That it was delivered is noted always; a failure
    /// only while no other node has claimed it since.
    func note(_ outcome: DeliveryOutcome, of delivery: EventDelivery) async throws(LedgerFault)

    /// How old the oldest event is that is still to be delivered to `webhook`; nil where none is.
    func oldestAge(for webhook: String) async throws(LedgerFault) -> Duration?
}
