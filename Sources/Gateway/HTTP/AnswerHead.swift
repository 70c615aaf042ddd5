import Domain
import NIOHTTP1

/// What every answer's head is made of.
struct AnswerHead: Sendable {
    /// `x-request-id`.
    let requestID: String
    /// Whole milliseconds from the request's head to now.
    let processingMilliseconds: Int64
    /// What the caller has left; nil for a caller that is not known.
    let standing: Standing?
    /// Whether the connection closes after the answer.
    let closes: Bool

    /// The head of an answer of `length` bytes, or of a stream when nil.
    func make(
        _ status: HTTPResponseStatus, type: String, length: Int?, version: HTTPVersion,
        more: [ErrorAnswer.Header]
    ) -> HTTPResponseHead {
        var headers = HTTPHeaders()
        headers.reserveCapacity(16)
        headers.add(name: "content-type", value: type)
        if let length {
            headers.add(name: "content-length", value: String(length))
        } else {
            headers.add(name: "cache-control", value: "no-cache")
            headers.add(name: "x-accel-buffering", value: "no")
        }
        headers.add(name: "x-request-id", value: requestID)
        headers.add(name: "openai-processing-ms", value: String(processingMilliseconds))
        if let standing { RateLimitHeaders.add(standing, to: &headers) }
        for header in more { headers.add(name: header.name, value: header.value) }
        if closes { headers.add(name: "connection", value: "close") }
        return HTTPResponseHead(version: version, status: status, headers: headers)
    }
}
