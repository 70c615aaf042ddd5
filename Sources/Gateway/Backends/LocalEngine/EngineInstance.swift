import Curl
import Domain
import Foundation
import Logging

/// One start of an engine: its process, and how it is spoken to.
///
/// Each start has its own HTTP client, so that ending an engine ends its calls, and a connection of
/// one never meets the next.
struct EngineInstance: Sendable {
    let client: CurlClient
    let exchange: ChatExchange
    let process: EngineProcess

    /// The host of the URL is not looked up, since the socket is connected to.
    private static let origin = "http://localhost"

    /// Starts a process with a socket and a key of its own. `random` gives the key's bits; `onExit`
    /// is told how it ended. Throws when it cannot be started.
    static func start(
        _ configuration: LocalEngineConfiguration, log: EngineLog, logger: Logger,
        random: @Sendable () -> UInt64, onExit: @escaping @Sendable (String) -> Void
    ) async throws(EngineFault) -> EngineInstance {
        let socket = try EngineSocket.prepare(
            in: configuration.socketDirectory, backend: configuration.name)
        let digits = (0..<4).map { _ in String(random(), radix: 36) }.joined()
        guard let key = UpstreamCredential(bytes: Array(digits.utf8)) else {
            preconditionFailure("digits make a key")
        }
        let client: CurlClient
        do throws(CurlFailure) {
            // Room for questions about health beside the calls, of which there are never more than
            // slots.
            client = try CurlClient(
                configuration: CurlConfiguration(
                    maximumTransfers: configuration.slots + 16, maximumIdleConnections: 1),
                logger: logger)
        } catch {
            throw EngineFault("no HTTP client for the engine: \(error.debugDescription)")
        }
        let process = try await EngineProcess.start(
            configuration.arguments(socket: socket, key: key),
            environment: configuration.passedEnvironment, guardian: EngineGuard.choose(), log: log,
            onExit: onExit)
        let exchange = ChatExchange(
            url: origin + "/v1/chat/completions", unixSocketPath: socket, credential: key,
            dialect: .llamaServer, limits: configuration.limits, connection: .fresh)
        return EngineInstance(client: client, exchange: exchange, process: process)
    }

    /// Whether it takes calls now. It answers 503 while it loads its model, and every failure means
    /// the same: not healthy now.
    func isHealthy() async -> Bool {
        var request = CurlRequest(method: .get, url: Self.origin + "/health")
        request.unixSocketPath = exchange.unixSocketPath
        request.connectTimeout = .seconds(2)
        request.firstByteTimeout = .seconds(2)
        request.totalTimeout = .seconds(2)
        request.maximumResponseBytes = 4096
        request.connection = .fresh
        return (try? await client.execute(request))?.status == 200
    }

    /// Ends it at once, and returns when nothing of it is left.
    func end() async {
        process.signal(SIGKILL)
        await client.shutdown()
        await process.waitForExit()
        removeSocket()
    }

    /// A socket is left behind by an engine that was killed; the next start would remove it as well.
    func removeSocket() {
        guard let socket = exchange.unixSocketPath else { return }
        try? FileManager.default.removeItem(atPath: socket)
    }
}
