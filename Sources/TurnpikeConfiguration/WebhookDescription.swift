public import Domain

/// A receiver of events, as the file describes it.
public struct WebhookDescription: Sendable, Hashable {
    /// Its name, under which its deliveries are kept.
    public var name: String
    /// Where it listens.
    public var url: WebhookURL
    /// The environment variable that holds what its messages are signed with.
    public var secretVariable: String
    /// The name of the only organization whose events it gets; nil for all.
    public var organization: String?
    /// What it is told of.
    public var kinds: Set<QuotaEvent.Kind>
    /// How long one try may take.
    public var timeout: Duration
    /// When what it does not take is sent again.
    public var schedule: DeliverySchedule
    /// Where its URL may lead to.
    public var addresses: AddressPolicy
    /// A PEM file of the authorities that its certificate may be of, instead of the system's.
    public var certificateAuthorityFile: String?

    /// What the ledger has to know of it.
    public var subscription: WebhookSubscription {
        WebhookSubscription(name: name, organization: organization, kinds: kinds)
    }
}

/// A receiver's URL, which may hold a token and is therefore never printed.
public struct WebhookURL: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The URL.
    public let text: String

    /// Nothing of the URL.
    public var description: String { "(webhook)" }
    /// Nothing of the URL.
    public var debugDescription: String { description }
    /// Nothing of the URL.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
