import Domain
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing

@testable import Gateway

/// A raw socket to the gateway: what a client sends byte by byte, and what it gets.
final class RawClient: Sendable {
    private let channel: any Channel
    private let inbox: Inbox

    /// Connects; one that does not read leaves everything in the sockets.
    static func connect(_ port: Int, reads: Bool = true) async throws -> RawClient {
        try await connect(reads: reads) { $0.connect(host: "127.0.0.1", port: port) }
    }

    /// Connects to a socket in the file system.
    static func connect(socket path: String) async throws -> RawClient {
        try await connect(reads: true) { $0.connect(unixDomainSocketPath: path) }
    }

    private static func connect(
        reads: Bool, _ place: (ClientBootstrap) -> EventLoopFuture<any Channel>
    ) async throws -> RawClient {
        let inbox = Inbox()
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(ChannelOptions.autoRead, value: reads)
            .channelOption(ChannelOptions.allowRemoteHalfClosure, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(InboxHandler(inbox))
                }
            }
        return RawClient(try await place(bootstrap).get(), inbox)
    }

    private init(_ channel: any Channel, _ inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    /// Sends text.
    func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    /// Sends bytes.
    func send(bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    /// Closes the sending side.
    func finish() async throws {
        do {
            try await channel.close(mode: .output)
        } catch is ChannelError {
            // The gateway has closed already.
        }
    }

    /// What has come once it holds `text`, or once the connection is closed.
    func received(_ text: String) async -> String {
        await inbox.wait { $0.contains(text) }
    }

    /// What has come when it holds `text` so many times, or once the connection is closed.
    func received(_ text: String, times: Int) async -> String {
        await inbox.wait { $0.components(of: text) >= times }
    }

    /// All that came until the gateway closed the connection.
    func rest() async -> String { await inbox.wait { _ in false } }

    /// What has come so far.
    var soFar: String { inbox.text }

    /// Closes.
    func close() async throws { try await channel.close() }

    /// Whether the gateway has closed the connection.
    var isClosed: Bool { !channel.isActive }

    private final class Inbox: Sendable {
        private struct State {
            var text = ""
            var isClosed = false
            var waiters: [(until: @Sendable (String) -> Bool, CheckedContinuation<String, Never>)] =
                []
        }
        private let state = Mutex(State())

        var text: String { state.withLock { $0.text } }

        func wait(until: @escaping @Sendable (String) -> Bool) async -> String {
            await withCheckedContinuation { continuation in
                let ready: String? = state.withLock { state in
                    if state.isClosed || until(state.text) { return state.text }
                    state.waiters.append((until, continuation))
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        }

        func take(_ text: String?) {
            let (now, ready) = state.withLock { state in
                if let text { state.text += text } else { state.isClosed = true }
                let now = state.text
                let isClosed = state.isClosed
                let ready = state.waiters.filter { isClosed || $0.until(now) }
                state.waiters.removeAll { isClosed || $0.until(now) }
                return (now, ready)
            }
            for waiter in ready { waiter.1.resume(returning: now) }
        }
    }

    private final class InboxHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let inbox: Inbox

        init(_ inbox: Inbox) { self.inbox = inbox }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            inbox.take(String(buffer: unwrapInboundIn(data)))
        }

        func channelInactive(context: ChannelHandlerContext) { inbox.take(nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}

extension String {
    /// How often `part` occurs.
    func components(of part: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }

    /// The number of a header in an answer.
    func header(_ name: String) -> String? {
        for line in components("\r\n") where line.lowercased().hasPrefix(name + ": ") {
            return String(line.dropFirst(name.count + 2))
        }
        return nil
    }

    private func components(_ separator: String) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}

/// A gateway on a port of its own.
struct RunningGateway: Sendable {
    let ledger: HeldLedger
    let claims: ScriptedClaims
    let backend: ScriptedBackend
    let port: Int
    let adminPort: Int
    let services: ServiceGroup
    /// Ends what runs under a key.
    let keys: RunningKeys

    /// Sends one request on a new connection and gives all that came until the gateway closed it.
    func exchange(_ request: String) async throws -> String {
        let client = try await RawClient.connect(port)
        client.send(request)
        return await client.rest()
    }

    /// Posts a body to the chat completions, closing afterwards, and gives the answer.
    func post(_ body: String, _ more: String = "") async throws -> String {
        try await exchange(Self.post(body, "Connection: close\r\n" + more))
    }

    /// The bytes of a request with the known key.
    static func post(_ body: String, _ more: String = "") -> String {
        "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer \(OneKey.secret)\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\(more)\r\n\(body)"
    }

    static let plain =
        #"{"model":"tiny","messages":[{"role":"user","content":"hi"}],"max_tokens":8}"#
    static let streaming =
        #"{"model":"tiny","stream":true,"messages":[{"role":"user","content":"hi"}],"max_tokens":8}"#
}

/// Runs a gateway around `body`.
func withGateway(
    ledger: HeldLedger = HeldLedger(), claims: ScriptedClaims = ScriptedClaims(),
    books: ScriptedBooks = ScriptedBooks(),
    backend: ScriptedBackend, others: [any Backend] = [], principal: Principal = .tester,
    routes: [ModelRoute]? = nil,
    recognizers: [any TextRecognizer] = [], time: any TimeSource = MachineTime(),
    _ adjust: (inout GatewayConfiguration) -> Void = { _ in },
    _ body: (RunningGateway) async throws -> Void
) async throws {
    var configuration = GatewayConfiguration(
        listen: .tcp(host: "127.0.0.1", port: 0), adminListen: .tcp(host: "127.0.0.1", port: 0))
    adjust(&configuration)
    let route = ModelRoute(
        alias: "tiny", backends: ["local"], upstreamModel: "tiny.gguf", contextTokens: 1024,
        maximumCompletionTokens: 512, imageTokens: nil, price: nil)
    let secretRoute = ModelRoute(
        alias: "secret", backends: ["local"], upstreamModel: "s", contextTokens: 1024,
        maximumCompletionTokens: 512, imageTokens: nil, price: nil)
    let largeRoute = ModelRoute(
        alias: "large", backends: ["local"], upstreamModel: "l", contextTokens: 1 << 20,
        maximumCompletionTokens: 1 << 20, imageTokens: 1000, price: nil)
    let addresses = Journal<(ListenerName, Int)>()
    var logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    logger.logLevel = .critical
    let keys = RunningKeys(time: time)
    let gateway = Gateway(
        configuration: configuration, keys: OneKey(principal: principal), ledger: ledger,
        idempotency: claims, books: books,
        catalog: CatalogHolder(Catalog(routes: routes ?? [route, secretRoute, largeRoute])),
        backends: BackendSet([backend] + others), recognizers: recognizers, running: keys,
        time: time, random: { UInt64.random(in: .min ... .max) }, logger: logger,
        readiness: { Readiness(reasons: [], warnings: []) },
        onRunning: { name, address in
            if case .tcp(_, let port) = address { addresses.append((name, port)) }
        })
    let services = ServiceGroup(
        configuration: ServiceGroupConfiguration(
            services: [
                .init(service: gateway.admin), .init(service: gateway.main),
                .init(service: gateway.shadows),
            ], logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        let bound = await addresses.wait(for: 2)
        let ports = Dictionary(bound.map { ($0.0, $0.1) }) { _, later in later }
        let running = RunningGateway(
            ledger: ledger, claims: claims, backend: backend, port: try #require(ports[.main]),
            adminPort: try #require(ports[.admin]), services: services, keys: keys)
        try await body(running)
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
    }
    #expect(DroppedReservations.total == 0)
}
