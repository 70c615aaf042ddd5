import Domain
import Logging
import NIOCore
import NIOHTTP1

/// One request and its answer on a connection: what has been said so far, and how to say the rest.
struct Session: ~Copyable {
    let core: GatewayCore
    let connection: Connection
    let exchange: Exchange
    /// `x-request-id`.
    let requestIDText: String
    /// Who is calling, once that is proven: their answers carry the rate-limit headers.
    var principal: Principal?
    /// Whether the connection takes no further request.
    private(set) var closes: Bool
    private let head: HTTPRequestHead?
    private var status = 0
    private var isStreaming = false

    /// Begins the answer to a request, or to what is none.
    init(
        _ core: GatewayCore, _ executor: EventLoopExecutor, _ connection: Connection,
        received: ReceivedRequest?, head: HTTPRequestHead?
    ) {
        self.core = core
        self.connection = connection
        self.head = head
        let wall = core.time.wall
        let requestID = RequestID(at: wall, random: (core.random(), core.random()))
        requestIDText = Self.text(of: requestID)
        exchange = Exchange(
            requestID: requestID, receivedAt: received?.receivedAt ?? core.time.uptime,
            receivedAtWall: wall, presence: connection.presence, notes: RequestNotes(),
            executor: executor)
        closes =
            received == nil || connection.isClosing
            || head.map { !$0.isKeepAlive || RequestHeadCheck.endsDecoding($0) } ?? true
    }

    /// A request's id as clients see it.
    static func text(of id: RequestID) -> String { "req_\(id)" }

    /// Sends a whole JSON answer with status 200.
    mutating func send(_ json: [UInt8]) {
        status = 200
        send(.ok, json, more: [])
    }

    /// Sends a document, or word that the client has it already.
    mutating func send(_ document: PublishedDocument, for headers: HTTPHeaders) {
        let isKnown = document.isKnown(by: headers["if-none-match"])
        status = isKnown ? 304 : 200
        if connection.isClosing { closes = true }
        let head = makeHead(
            isKnown ? .notModified : .ok, type: document.type, length: document.bytes.count,
            more: document.headers)
        let body = isKnown ? ByteBuffer() : ByteBuffer(bytes: document.bytes)
        connection.send(.whole(head, body, closes: closes), flush: true)
    }

    /// Sends what another request's client was sent, under that request's id.
    mutating func send(_ stored: StoredAnswer, of first: RequestID) {
        status = 200
        let streams = stored.contentType == MediaType.eventStream
        if streams { endWithConnection() }
        let head = makeHead(
            .ok, type: stored.contentType, length: streams ? nil : stored.body.count,
            more: [ErrorAnswer.Header(name: "idempotent-replayed", value: "true")], as: first)
        let body = ByteBuffer(bytes: stored.body)
        guard streams else {
            return connection.send(.whole(head, body, closes: closes), flush: true)
        }
        connection.send(.begin(head), flush: false)
        endStream(events: body)
    }

    /// Makes the end of the connection the end of the stream for a client of HTTP/1.0, which knows no
    /// chunks: kept alive, as it may ask, it would wait for ever.
    private mutating func endWithConnection() {
        if isOld { closes = true }
    }

    /// What tells the connection that a stream is to come: a client that waits for long is then shown
    /// that it is not forgotten, and so is whatever stands between.
    func announcement() -> StreamAnnouncement {
        let (connection, source, closes) = (connection, headSource, closes || isOld)
        return StreamAnnouncement {
            let expected = AnswerPart.expect {
                source.make(
                    .ok, type: MediaType.eventStream, length: nil, more: [], as: nil,
                    closes: closes)
            }
            connection.send(expected, flush: false)
        }
    }

    /// Begins a stream. Nothing is flushed: the first event goes with it.
    mutating func beginStream() {
        status = 200
        isStreaming = true
        endWithConnection()
        let head = makeHead(.ok, type: MediaType.eventStream, length: nil, more: [])
        connection.send(.begin(head), flush: false)
    }

    /// Sends events of a stream; false when the client is gone. Waits for a client that reads
    /// slowly.
    func send(events: ByteBuffer, flush: Bool) async -> Bool {
        connection.send(.piece(events), flush: flush)
        return await connection.writable()
    }

    /// Ends a stream, after its last events.
    mutating func endStream(events: ByteBuffer) {
        connection.send(.piece(events), flush: false)
        connection.send(.end(closes: closes), flush: true)
    }

    /// Answers with a failure: an envelope with its status or, in a stream that has begun, an error
    /// event and the end without `[DONE]`.
    mutating func fail(_ failure: GatewayFailure) {
        let isIdempotent = head?.headers.contains(name: IdempotencyHeader.name) ?? false
        let answer = failure.answer(spread: core.random(), isIdempotent: isIdempotent)
        exchange.notes.update { $0.failure = $0.failure ?? answer.code ?? answer.message }
        let body = answer.body(requestID: requestIDText)
        if isStreaming {
            closes = true
            if failure == .clientGone { status = 499 }
            return endStream(events: ServerSentEventWriter.event(body))
        }
        status = answer.status
        if answer.closes { closes = true }
        send(HTTPResponseStatus(statusCode: answer.status), body, more: answer.headers)
    }

    /// Writes the request's line in the access log and counts it.
    func log() {
        let duration = core.time.uptime - exchange.receivedAt
        core.metrics.count(status: status, duration: duration)
        core.accessLog.write(
            requestID: requestIDText, method: head?.method.rawValue, path: head?.uri,
            status: status, duration: duration, notes: exchange.notes.content)
    }

    private mutating func send(
        _ status: HTTPResponseStatus, _ body: [UInt8], more: [ErrorAnswer.Header]
    ) {
        if connection.isClosing { closes = true }
        let head = makeHead(status, type: MediaType.json, length: body.count, more: more)
        // A client that asked for the head alone would take a body for the next answer.
        let bytes = self.head?.method == .HEAD ? ByteBuffer() : ByteBuffer(bytes: body)
        connection.send(.whole(head, bytes, closes: closes), flush: true)
    }

    private func makeHead(
        _ status: HTTPResponseStatus, type: String, length: Int?, more: [ErrorAnswer.Header],
        as other: RequestID? = nil
    ) -> HTTPResponseHead {
        headSource.make(
            status, type: type, length: length, more: more, as: other, closes: closes)
    }

    private var headSource: SessionHead {
        // To an unreadable request we answer in our own version.
        SessionHead(
            core: core, exchange: exchange, requestIDText: requestIDText, principal: principal,
            version: isOld ? .http1_0 : .http1_1)
    }

    /// Whether the client speaks HTTP/1.0.
    private var isOld: Bool { head?.version == .http1_0 }
}
