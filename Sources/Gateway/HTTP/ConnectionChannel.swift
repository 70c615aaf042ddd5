import Domain
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// What answers the requests of a connection. One per connection, in one task: it may keep memory
/// between requests.
protocol Responder: SendableMetatype {
    /// Answers one arrival. False when the connection takes no further request.
    mutating func respond(to arrival: Arrival, on connection: Connection) async -> Bool
}

/// Sets up HTTP/1.1 on accepted channels and runs their tasks.
///
/// Hummingbird's server accepts, counts and drains; its own HTTP/1 channel is not used, since it
/// answers broken requests with an empty body, cannot tell a request's task that its client left
/// without giving up the connection, and hands bodies over part by part.
struct ConnectionChannel<R: Responder>: ServerChildChannel {
    let limits: ConnectionLimits
    let time: any TimeSource
    let connections: ConnectionSet
    let makeResponder: @Sendable (EventLoopExecutor) -> R

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            let connection = Connection(channel)
            let handler = ConnectionHandler(connection, limits: limits, time: time)
            var decoderLimits = NIOHTTPDecoderLimitConfiguration()
            decoderLimits.maxHeaderFieldCount = limits.headerFields
            decoderLimits.maxHeaderFieldSize = limits.headerLineBytes
            decoderLimits.maxHeaderListSize = limits.headerBytes
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(ArrivalObserver(handler))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false,
                withOutboundHeaderValidation: true, withEncoderConfiguration: .init(),
                withDecoderLimitConfiguration: decoderLimits)
            try pipeline.addHandler(handler)
            return connection
        }
    }

    func handle(value connection: Connection, logger: Logger) async {
        connections.insert(connection)
        let executor = EventLoopExecutor(connection.channel.eventLoop)
        await withTaskExecutorPreference(executor) {
            await withDiscardingTaskGroup { group in
                group.addTask { await serve(connection, executor) }
                // The client's leaving cancels the request that runs for it, and nothing else.
                await connection.untilEnded()
                group.cancelAll()
            }
        }
        connections.remove(connection)
    }

    private func serve(_ connection: Connection, _ executor: EventLoopExecutor) async {
        var responder = makeResponder(executor)
        var goesOn = true
        while goesOn, let arrival = await connection.next() {
            goesOn = await responder.respond(to: arrival, on: connection)
        }
        // A closing answer closes the channel itself, once it is written.
        if goesOn { connection.channel.close(promise: nil) }
        connection.end()
    }
}
