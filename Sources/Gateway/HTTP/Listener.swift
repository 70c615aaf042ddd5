import Domain
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Which listener.
public enum ListenerName: String, Sendable {
    /// For clients.
    case main
    /// For operators and probes.
    case admin
}

/// What a listener is bound to.
public enum BoundAddress: Sendable, Hashable {
    /// The address and the port, which the system may have chosen.
    case tcp(host: String, port: Int)
    /// The socket's path.
    case unixSocket(path: String)
}

/// Accepts connections at one address until it is asked to stop; then lets running answers finish,
/// for a while.
struct Listener<R: Responder>: Service {
    let name: ListenerName
    let address: GatewayConfiguration.Address
    let limits: ConnectionLimits
    let mostConnections: Int
    let drainTime: Duration
    let time: any TimeSource
    /// Told that the gateway is stopping; nil for a listener that says so rather than does so.
    let activity: GatewayActivity?
    let logger: Logger
    let onRunning: @Sendable (ListenerName, BoundAddress) async -> Void
    let makeResponder: @Sendable (EventLoopExecutor) -> R

    func run() async throws {
        let connections = ConnectionSet()
        let group = MultiThreadedEventLoopGroup.singleton
        let channel = ConnectionChannel(
            limits: limits, time: time, connections: connections, makeResponder: makeResponder)
        let file = socketFile
        try await file?.prepare(on: group)
        // Whatever ends it: a socket that nobody listens on only misleads.
        defer { file?.remove() }
        let server = channel.server(
            configuration: ServerConfiguration(
                address: bindAddress, backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    mostConnections, logger: logger)),
            onServerRunning: { channel in
                do {
                    try file?.protect()
                } catch {
                    // A socket that others might use is worse than none.
                    logger.error("the socket's mode cannot be set", metadata: ["error": "\(error)"])
                    try? await channel.close().get()
                    return
                }
                await onRunning(name, bound(channel))
            },
            eventLoopGroup: group, logger: logger)
        try await withGracefulShutdownHandler {
            try await server.run()
        } onGracefulShutdown: {
            activity?.drain()
            // What still runs when the time is over is cancelled, settled and told so.
            group.next().scheduleTask(in: .microseconds(drainTime.microseconds)) {
                connections.drain()
            }
        }
    }

    private var socketFile: SocketFile? {
        guard case .unixSocket(let path) = address else { return nil }
        return SocketFile(path: path)
    }

    private var bindAddress: BindAddress {
        switch address {
        case .tcp(let host, let port): .hostname(host, port: port)
        case .unixSocket(let path): .unixDomainSocket(path: path)
        }
    }

    private func bound(_ channel: any Channel) -> BoundAddress {
        switch address {
        case .tcp(let host, let port):
            .tcp(
                host: channel.localAddress?.ipAddress ?? host,
                port: channel.localAddress?.port ?? port)
        case .unixSocket(let path): .unixSocket(path: path)
        }
    }
}
