import Domain
import JSON

/// `GET /v1/quota`: what the key has left, and when it resets.
enum QuotaEndpoint {
    /// Answers from the books, and of rate limits from what is known of the key.
    static func respond(
        to principal: Principal, _ session: inout Session
    ) async throws(GatewayFailure) {
        let quotas: OwnQuotas
        do throws(BooksFault) {
            quotas = try await session.core.books.quotas(of: principal)
        } catch {
            throw GatewayFailure(error)
        }
        session.send(answer(quotas, principal.rateLimits, to: principal.key))
    }

    /// The answer of quotas and rate limits.
    static func answer(_ quotas: OwnQuotas, _ rates: [RateLimit], to key: KeyID) -> [UInt8] {
        var writer = JSONWriter(capacity: 256 + (quotas.lines.count + rates.count) * 200)
        writer.beginObject()
        writer.key("object")
        writer.string("quota")
        writer.key("key_id")
        writer.string(key.description)
        writer.key("as_of")
        writer.string(quotas.asOf.iso8601)
        writer.key("quotas")
        writer.beginArray()
        for line in quotas.lines { write(line, &writer) }
        writer.endArray()
        writer.key("rate_limits")
        writer.beginArray()
        for rate in rates {
            writer.beginObject()
            writer.key("subject")
            writer.string(rate.subject.kind.name)
            write(model: rate.model, &writer)
            writer.key("dimension")
            writer.string(rate.dimension.name)
            writer.key("limit")
            writer.integer(rate.limit)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.finish()
    }

    private static func write(_ line: OwnQuotas.Line, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("subject")
        writer.string(line.quota.subject.kind.name)
        write(model: line.quota.model, &writer)
        writer.key("resource")
        writer.string(line.quota.resource.name)
        writer.key("unit")
        writer.string(unit(of: line.quota.resource))
        writer.key("period")
        writer.string(line.quota.period.name)
        writer.key("limit")
        writer.integer(line.quota.limit)
        writer.key("soft")
        writer.bool(line.quota.isSoft)
        if let own = line.own {
            writer.key("used")
            writer.integer(own.used)
            writer.key("reserved")
            writer.integer(own.reserved)
        }
        writer.key("left")
        writer.integer(line.left)
        writer.key("resets_at")
        if let end = line.resetsAt { writer.string(end.iso8601) } else { writer.null() }
        writer.endObject()
    }

    private static func write(model: String?, _ writer: inout JSONWriter) {
        writer.key("model")
        if let model { writer.string(model) } else { writer.null() }
    }

    /// What the numbers of a resource count.
    static func unit(of resource: Resource) -> String {
        resource == .cost ? "nanousd" : resource.name
    }
}
