import NIOCore

/// Stands before the HTTP decoder and tells the connection that bytes come, so that a head that
/// never ends has a deadline.
final class ArrivalObserver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let handler: ConnectionHandler

    /// Makes the observer of a connection's handler.
    init(_ handler: ConnectionHandler) { self.handler = handler }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        handler.bytesArrive()
        context.fireChannelRead(data)
    }
}
