import Domain
import JSON

/// A failure as the client sees it: a status, the four keys of the envelope, and headers that say
/// whether to retry.
struct ErrorAnswer: Sendable, Equatable {
    let status: Int
    /// `error.type`.
    let type: String
    /// `error.code`.
    let code: String?
    /// `error.param`.
    let parameter: String?
    /// `error.message`: for people, and free of anything inside.
    let message: String
    /// The first request of an `Idempotency-Key`, where the answer is about that: its id in
    /// `error.first_request_id` and, once it is over, how it ended in `error.first_end_state` and
    /// what it used in `error.usage`.
    var first: First?
    /// Headers beside the usual ones.
    var headers: [Header] = []
    /// Whether the connection cannot go on, since the rest of the request is not read.
    var closes = false

    /// The request that an `Idempotency-Key` stands for.
    struct First: Sendable, Equatable {
        let id: RequestID
        /// How it ended and what it was charged for; nil while it runs.
        let end: IdempotentEnd?
    }

    /// One header.
    struct Header: Sendable, Equatable {
        let name: String
        let value: String
    }

    /// Makes an answer of type `invalid_request_error`.
    static func invalid(
        _ status: Int, _ message: String, code: String? = nil, parameter: String? = nil
    ) -> ErrorAnswer {
        ErrorAnswer(
            status: status, type: "invalid_request_error", code: code, parameter: parameter,
            message: message)
    }

    /// The answer with a header more.
    func with(_ name: String, _ value: String) -> ErrorAnswer {
        var answer = self
        answer.headers.append(Header(name: name, value: value))
        return answer
    }

    /// The answer after which the connection closes.
    func closing() -> ErrorAnswer {
        var answer = self
        answer.closes = true
        return answer
    }

    /// The answer that says when to come back.
    ///
    /// - Parameter spread: random bits that lengthen the wait by up to a tenth, so that clients
    ///   refused together do not return together. The wait told is never shorter than the real one.
    func retry(after wait: Duration, spread: UInt64) -> ErrorAnswer {
        let exact = max(1, min(wait.millisecondsRoundedUp, 366 * 86_400_000))
        let milliseconds = exact + Int64(spread % UInt64(exact / 10 + 1))
        return with("retry-after", String(max(1, (milliseconds + 999) / 1000)))
            .with("retry-after-ms", String(milliseconds))
    }

    /// The envelope: `{"error":{…four keys…},"request_id":"…"}`. In a stream it is the data of an
    /// event.
    func body(requestID: String) -> [UInt8] {
        var writer = JSONWriter(capacity: 256)
        writer.beginObject()
        writer.key("error")
        writer.beginObject()
        writer.key("message")
        writer.string(message)
        writer.key("type")
        writer.string(type)
        writer.key("param")
        if let parameter { writer.string(parameter) } else { writer.null() }
        writer.key("code")
        if let code { writer.string(code) } else { writer.null() }
        if let first { Self.write(first, &writer) }
        writer.endObject()
        writer.key("request_id")
        writer.string(requestID)
        writer.endObject()
        return writer.finish()
    }

    private static func write(_ first: First, _ writer: inout JSONWriter) {
        writer.key("first_request_id")
        writer.string(Session.text(of: first.id))
        guard let end = first.end else { return }
        writer.key("first_end_state")
        writer.string(end.endState.name)
        writer.key("usage")
        writer.beginObject()
        for (name, count) in [
            ("prompt_tokens", end.usage.prompt), ("completion_tokens", end.usage.completion),
            ("total_tokens", end.usage.total),
        ] {
            writer.key(name)
            writer.integer(count)
        }
        writer.endObject()
    }
}
