public import Domain

/// A receiver of events, as an operator has set it up.
public struct WebhookConfiguration: Sendable {
    /// Its name, under which its deliveries are kept.
    public let name: String
    /// Where it listens. May hold what only the two should know, and is never logged.
    let url: String
    /// What its messages are signed with.
    let secret: WebhookSecret
    /// How long one try may take in all.
    public var timeout = Duration.seconds(10)
    /// When what it does not take is sent again.
    public var schedule = DeliverySchedule(
        attempts: 10, backoff: .seconds(5), longestBackoff: .seconds(43_200))
    /// Where its URL may lead to.
    public var transport = UpstreamTransport()

    /// Makes a receiver with the usual patience.
    public init(name: String, url: String, secret: WebhookSecret) {
        self.name = name
        self.url = url
        self.secret = secret
    }
}

/// What a receiver's messages are signed with. Cannot be printed: descriptions, mirrors and dumps
/// show nothing of it.
public struct WebhookSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    let bytes: [UInt8]

    /// Reads a secret as the Standard Webhooks specification writes it: `whsec_` and 24 to 64 bytes
    /// in base64. Nil for anything else.
    public init?(_ text: [UInt8]) {
        let prefix = Array("whsec_".utf8)
        guard text.starts(with: prefix),
            let bytes = Base64.decoded(text.dropFirst(prefix.count)),
            (24...64).contains(bytes.count)
        else { return nil }
        self.bytes = bytes
    }

    /// Nothing of the secret.
    public var description: String { "[redacted]" }
    /// Nothing of the secret.
    public var debugDescription: String { description }
    /// Nothing of the secret.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
