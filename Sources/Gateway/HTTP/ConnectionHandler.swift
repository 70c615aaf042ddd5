import Domain
import NIOCore
import NIOHTTP1

/// The event loop's half of a connection: puts requests together within the limits, writes answers,
/// and notices when the client leaves, stops reading or is too slow.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = Never
    typealias OutboundIn = AnswerPart
    typealias OutboundOut = HTTPServerResponsePart

    let connection: Connection
    let limits: ConnectionLimits
    let time: any TimeSource
    var context: ChannelHandlerContext?
    var deadlines = ConnectionDeadlines()
    var alarm: (at: Uptime, task: Scheduled<Void>)?
    private var reception = Reception.waiting
    /// What has come of the body that is being received.
    private var body = ByteBuffer()
    private var hasPartialHead = false
    /// Requests handed over and not answered yet.
    private var unanswered = 0
    private var isReadHeld = false
    private var isQuiescing = false
    /// The head of a stream that is to come.
    var expectedHead: (@Sendable () -> HTTPResponseHead)?
    /// Whether a stream's head went out before the stream was there.
    var isHeadSent = false

    private enum Reception {
        case waiting
        case body(HTTPRequestHead, since: Uptime)
        /// What comes is thrown away.
        case refused
    }

    /// Makes the handler of a connection.
    init(_ connection: Connection, limits: ConnectionLimits, time: any TimeSource) {
        self.connection = connection
        self.limits = limits
        self.time = time
    }

    // MARK: requests

    /// Called before the decoder sees bytes, so that a head that never ends is noticed.
    func bytesArrive() {
        guard case .waiting = reception else { return }
        hasPartialHead = true
        guard unanswered == 0, deadlines.head == nil else { return }
        deadlines.head = time.uptime + limits.headerTime
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), reception) {
        case (.head(let head), .waiting): begin(head)
        case (.body(let bytes), .body(let head, let since)):
            guard body.readableBytes + bytes.readableBytes <= limits.bodyBytes else {
                return refuse(.bodyTooLarge(limit: limits.bodyBytes), head)
            }
            if body.readableBytes == 0 { body = bytes } else { body.writeImmutableBuffer(bytes) }
            deadlines.body = ConnectionDeadlines.body(
                start: since, bytes: body.readableBytes, limits: limits)
        case (.end, .body(let head, let since)):
            let request = ReceivedRequest(head: head, body: body, receivedAt: since)
            reception = .waiting
            body = ByteBuffer()
            deadlines.body = nil
            unanswered += 1
            connection.deliver(.request(request))
        case (_, .refused): break
        default: refuse(.malformedHTTP, nil)
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        let now = time.uptime
        hasPartialHead = false
        deadlines.head = nil
        deadlines.idle = nil
        guard RequestHeadCheck.isWithinLimits(head, limits) else {
            return refuse(.headersTooLarge, head)
        }
        guard RequestHeadCheck.isUnambiguous(head) else { return refuse(.malformedHTTP, head) }
        // A length beyond 64 bits is as good as too long.
        let length = head.headers.first(name: "content-length").map { Int($0) ?? .max } ?? 0
        guard length <= limits.bodyBytes else {
            return refuse(.bodyTooLarge(limit: limits.bodyBytes), head)
        }
        reception = .body(head, since: now)
        deadlines.body = ConnectionDeadlines.body(start: now, bytes: 0, limits: limits)
        if head.headers.first(name: "expect")?.lowercased() == "100-continue", unanswered == 0 {
            let proceed = HTTPResponseHead(version: head.version, status: .continue)
            context?.writeAndFlush(wrapOutboundOut(.head(proceed)), promise: nil)
        }
    }

    /// Refuses what comes, once; the answer is written in its turn, after those before it.
    func refuse(_ failure: GatewayFailure, _ head: HTTPRequestHead?) {
        if case .refused = reception { return }
        reception = .refused
        body = ByteBuffer()
        (deadlines.head, deadlines.body, deadlines.idle) = (nil, nil, nil)
        unanswered += 1
        connection.deliver(.refused(failure, head))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        arm()
        context.fireChannelReadComplete()
    }

    /// Reads while at most one request waits unanswered: the socket's end is then noticed by
    /// reading, and a client that sends many requests at once fills its own socket rather than our
    /// memory.
    func read(context: ChannelHandlerContext) {
        if unanswered > 1 { isReadHeld = true } else { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case HTTPParserError.headerOverflow: refuse(.headersTooLarge, nil)
        case is HTTPParserError: refuse(.malformedHTTP, nil)
        default:
            if case .refused = reception { return }
            leave(context)
        }
    }

    // MARK: answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .expect(let makeHead):
            expectedHead = makeHead
            deadlines.ping = time.uptime + limits.pingTime
            arm()
            promise?.succeed()
        case .whole(_, let body, _) where isHeadSent:
            // It was to be a stream, so it ends as one: by its error, and without a good end.
            let event = ServerSentEventWriter.event(Array(body.readableBytesView))
            context.write(wrapOutboundOut(.body(.byteBuffer(event))), promise: nil)
            forgetHead()
            end(context, closes: true, promise)
        case .whole(let head, let body, let closes):
            forgetHead()
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if body.readableBytes > 0 {
                context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            }
            end(context, closes: closes, promise)
        case .begin(let head):
            if isHeadSent {
                promise?.succeed()
            } else {
                context.write(wrapOutboundOut(.head(head)), promise: promise)
            }
            forgetHead()
            deadlines.ping = time.uptime + limits.pingTime
            arm()
        case .open(let head): context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .piece(let bytes):
            context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
            if deadlines.ping != nil { deadlines.ping = time.uptime + limits.pingTime }
        case .end(let closes):
            deadlines.ping = nil
            end(context, closes: closes, promise)
        }
    }

    private func forgetHead() {
        (expectedHead, isHeadSent) = (nil, false)
        deadlines.ping = nil
    }

    private func end(
        _ context: ChannelHandlerContext, closes: Bool, _ promise: EventLoopPromise<Void>?
    ) {
        unanswered -= 1
        guard closes || (isQuiescing && unanswered == 0) else {
            context.write(wrapOutboundOut(.end(nil)), promise: promise)
            if unanswered == 0, case .waiting = reception {
                let now = time.uptime
                if hasPartialHead {
                    deadlines.head = now + limits.headerTime
                } else {
                    deadlines.idle = now + limits.idleTime
                }
                arm()
            }
            if isReadHeld && unanswered <= 1 {
                isReadHeld = false
                context.read()
            }
            return
        }
        connection.beginClosing()
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in self.close() }
        context.write(wrapOutboundOut(.end(nil)), promise: written)
    }

    /// Closes once the last answer is written. When the client still sends, only our side is closed
    /// at first: closing both would reset the connection, and the answer could be lost on its way.
    private func close() {
        guard let context else { return }
        guard case .refused = reception else { return context.close(promise: nil) }
        deadlines = ConnectionDeadlines()
        deadlines.linger = time.uptime + limits.lingerTime
        arm()
        context.close(mode: .output, promise: nil)
        context.read()
    }

    // MARK: the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        deadlines.idle = time.uptime + limits.idleTime
        arm()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        alarm?.task.cancel()
        alarm = nil
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.leave(.clientGone)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            // A client whose last bytes were refused still gets the answer that says so.
            if case .refused = reception, !isLingering { break }
            leave(context)
        case is ChannelShouldQuiesceEvent: quiesce(context)
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        deadlines.stall = isWritable ? nil : time.uptime + limits.writeStallTime
        connection.setWritable(isWritable)
        arm()
        context.fireChannelWritabilityChanged()
    }

    /// Notes that the client is gone, which cancels its request, and closes.
    func leave(_ context: ChannelHandlerContext) {
        connection.leave(.clientGone)
        context.close(promise: nil)
    }

    private var isLingering: Bool { deadlines.linger != nil }

    private func quiesce(_ context: ChannelHandlerContext) {
        isQuiescing = true
        connection.beginClosing()
        guard unanswered == 0, case .waiting = reception, !hasPartialHead else { return }
        context.close(promise: nil)
    }
}
