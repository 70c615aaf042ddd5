import Domain
import JSON

/// `GET /v1/usage`: what the key used.
enum UsageEndpoint {
    /// Answers from the books.
    static func respond(
        to target: String, from principal: Principal, _ session: inout Session
    ) async throws(GatewayFailure) {
        let question = try UsageQuestionReader.read(target, at: session.core.time.wall)
        let rows: [OwnUsageRow]
        do throws(BooksFault) {
            rows = try await session.core.books.usage(of: principal, question)
        } catch {
            throw GatewayFailure(error)
        }
        session.send(answer(question, rows, to: principal.key))
    }

    /// The answer to a question.
    static func answer(
        _ question: OwnUsageQuestion, _ rows: [OwnUsageRow], to key: KeyID
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 512 + rows.count * 320)
        writer.beginObject()
        writer.key("object")
        writer.string("usage")
        writer.key("key_id")
        writer.string(key.description)
        writer.key("since")
        writer.string(question.since.iso8601)
        writer.key("until")
        writer.string(question.until.iso8601)
        writer.key("by")
        writer.string(question.grouping.rawValue)
        writer.key("total")
        writer.beginObject()
        write(rows.reduce(UsageSums()) { $0 + $1.sums }, &writer)
        writer.endObject()
        writer.key("data")
        writer.beginArray()
        for row in rows {
            writer.beginObject()
            writer.key(question.grouping.rawValue)
            writer.string(text(row.group))
            write(row.sums, &writer)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.finish()
    }

    private static func text(_ group: OwnUsageRow.Group) -> String {
        switch group {
        case .hour(let start): start.iso8601
        case .day(let day): day.description
        case .month(let first): String(first.description.prefix(7))
        case .model(let name): name
        }
    }

    /// A sum beyond 64 bits, which no key reaches, is told as the largest number there is.
    private static func write(_ sums: UsageSums, _ writer: inout JSONWriter) {
        func add(_ name: StaticString, _ number: Int128) {
            writer.key(name)
            writer.integer(Int64(clamping: number))
        }
        add("requests", sums.requests)
        add("failed_requests", sums.failedRequests)
        add("prompt_tokens", sums.promptTokens)
        add("cached_tokens", sums.cachedTokens)
        add("cache_write_tokens", sums.cacheWriteTokens)
        add("completion_tokens", sums.completionTokens)
        add("reasoning_tokens", sums.reasoningTokens)
        add("total_tokens", sums.totalTokens)
        add("charged_tokens", sums.chargedTokens)
        writer.key("cost_usd")
        writer.string(NanoUSD(rawValue: Int64(clamping: sums.costNanoUSD)).description)
    }
}

extension GatewayFailure {
    /// What a client is told of books that cannot be read.
    init(_ fault: BooksFault) {
        switch fault {
        case .unavailable: self = .booksUnavailable
        case .throttled(let wait): self = .booksThrottled(retryAfter: wait)
        }
    }
}
