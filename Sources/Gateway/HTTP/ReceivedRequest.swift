import Domain
import NIOCore
import NIOHTTP1

/// A request with all of its body.
struct ReceivedRequest: Sendable {
    let head: HTTPRequestHead
    let body: ByteBuffer
    /// When its head had arrived.
    let receivedAt: Uptime
}

/// What comes from a connection.
enum Arrival: Sendable {
    case request(ReceivedRequest)
    /// What came is no request that can be answered otherwise; nothing comes after it.
    case refused(GatewayFailure, HTTPRequestHead?)
}

/// What goes to a connection. A request is answered by `whole`, or by `begin` or `open`, pieces and
/// `end`.
enum AnswerPart: Sendable {
    /// A stream is to come. Where its client has to wait for long it gets the head that is made then,
    /// and comments; a `whole` answer that comes instead ends what it has as a stream.
    case expect(@Sendable () -> HTTPResponseHead)
    /// A whole answer; `closes` closes the connection once it is written.
    case whole(HTTPResponseHead, ByteBuffer, closes: Bool)
    /// The head of an answer that comes in pieces: events, between which a comment may stand.
    case begin(HTTPResponseHead)
    /// The same of an answer in which nothing else may stand, however long a piece takes.
    case open(HTTPResponseHead)
    case piece(ByteBuffer)
    case end(closes: Bool)
}
