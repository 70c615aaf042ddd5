import Domain
import JSON
import OpenSSL

/// An event as a receiver gets it: a body, and the three headers of the Standard Webhooks
/// specification that prove where and when it comes from.
struct WebhookMessage {
    let id: String
    let body: [UInt8]

    /// The message of an event, the same on every try while nobody is renamed.
    init(_ event: QuotaEvent) {
        id = event.id.description
        var writer = JSONWriter(capacity: 512)
        writer.beginObject()
        writer.key("id")
        writer.string(id)
        writer.key("type")
        writer.string(event.kind.name)
        writer.key("timestamp")
        writer.string(event.createdAt.iso8601)
        writer.key("data")
        writer.beginObject()
        writer.key("organization")
        writer.string(event.organizationName)
        if let reached = event.reached { Self.write(reached, &writer) }
        writer.endObject()
        writer.endObject()
        body = writer.finish()
    }

    private static func write(_ reached: QuotaEvent.Reached, _ writer: inout JSONWriter) {
        let account = reached.account
        writer.key("subject")
        writer.string(account.subject.kind.name)
        writer.key("subject_name")
        writer.string(reached.subjectName)
        if let key = reached.key {
            writer.key("key_id")
            writer.string(key.description)
        }
        writer.key("model")
        if let model = reached.model { writer.string(model) } else { writer.null() }
        writer.key("resource")
        writer.string(account.resource.name)
        writer.key("unit")
        writer.string(QuotaEndpoint.unit(of: account.resource))
        writer.key("period")
        writer.string(account.period.name)
        writer.key("period_start")
        if account.period == .total {
            writer.null()
        } else {
            writer.string(account.start.description)
        }
        writer.key("resets_at")
        if let end = account.period.end(of: account.start) {
            writer.string(end.iso8601)
        } else {
            writer.null()
        }
        writer.key("threshold_percent")
        writer.integer(reached.percent)
        writer.key("limit")
        writer.integer(reached.limit)
        writer.key("used")
        writer.integer(reached.used)
        writer.key("soft")
        writer.bool(reached.isSoft)
    }

    /// The headers of one try at `now`, whole seconds since 1970: the time is signed too, so that a
    /// receiver can refuse what somebody has kept.
    func headers(
        signedWith secret: WebhookSecret, at now: Timestamp
    ) throws(OpenSSLError) -> [(name: String, value: String)] {
        let seconds = String(now.seconds)
        let tag = try HMACSHA256(key: secret.bytes).authenticate(
            parts: [Array("\(id).\(seconds).".utf8), body])
        return [
            (name: "webhook-id", value: id), (name: "webhook-timestamp", value: seconds),
            (name: "webhook-signature", value: "v1,\(Base64.encoded(tag))"),
        ]
    }
}
