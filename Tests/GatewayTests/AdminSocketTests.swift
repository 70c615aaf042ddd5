import Domain
import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import Gateway

/// An admin API that tells what it was asked.
private struct EchoAPI: AdminAPI {
    func respond(to request: AdminRequest) async -> AdminResponse {
        let said =
            "\(request.method) \(request.path) \(request.query) \(request.body.count) "
            + "\(request.values(of: "idempotency-key").joined())"
        return AdminResponse(
            status: 201, headers: [("idempotent-replayed", "true")],
            body: Array("{\"said\":\"\(said)\"}".utf8))
    }

    func refuse(status: Int, message: String) -> AdminResponse {
        AdminResponse(status: status, body: Array("{\"refused\":\"\(message)\"}".utf8))
    }
}

/// An admin API that answers in pieces: those it is given, the last one again and again.
private struct PiecesAPI: AdminAPI {
    let script: [AdminPiece]
    /// The number of each piece that was asked for.
    let asked = Journal<Int>()
    /// How many had been asked for when nobody held the answer any more.
    let released = Journal<Int>()

    init(_ script: [AdminPiece]) { self.script = script }

    func respond(to request: AdminRequest) async -> AdminResponse {
        AdminResponse(
            status: 200, contentType: "text/csv", body: Array("one".utf8), pieces: Pieces(self))
    }

    func refuse(status: Int, message: String) -> AdminResponse {
        AdminResponse(status: status, body: [])
    }

    private actor Pieces: AdminPieces {
        private let api: PiecesAPI
        private var count = 0

        init(_ api: PiecesAPI) { self.api = api }

        deinit { api.released.append(count) }

        func next() async -> AdminPiece {
            count += 1
            api.asked.append(count)
            return api.script[min(count, api.script.count) - 1]
        }
    }
}

@Suite struct `The admin listener on a socket` {
    /// A path short enough for a socket, in a folder of its own.
    private final class Place: Sendable {
        let folder = "/tmp/turnpike-\(UInt32.random(in: 0 ... .max))"
        var path: String { folder + "/admin.sock" }

        init() throws {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        }

        deinit {
            // A folder left in the temporary directory harms nobody.
            try? FileManager.default.removeItem(atPath: folder)
        }

        var mode: Int? {
            let found = try? FileManager.default.attributesOfItem(atPath: path)
            return (found?[.posixPermissions] as? NSNumber)?.intValue
        }
    }

    /// Runs the listener around `body`.
    private static func withListener(
        at path: String, bodyBytes: Int = 1024, api: any AdminAPI = EchoAPI(),
        _ body: () async throws -> Void
    ) async throws {
        var limits = ConnectionLimits()
        limits.bodyBytes = bodyBytes
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        // Nil once the listener has ended, whether it ever listened or not.
        let bound = Journal<BoundAddress?>()
        let activity = GatewayActivity()
        let listener = Listener(
            name: .admin, address: .unixSocket(path: path), limits: limits, mostConnections: 16,
            drainTime: .seconds(1), time: MachineTime(), activity: nil, logger: logger,
            onRunning: { _, address in bound.append(address) }
        ) { _ in
            AdminResponder(activity: activity, api: api, metrics: MetricsRegistry()) {
                Readiness(reasons: [], warnings: [])
            }
        }
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: listener)], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { bound.append(nil) }
                try await services.run()
            }
            // A listener that cannot listen ends, and says why.
            guard let address = await bound.wait(for: 1)[0] else {
                return try await group.waitForAll()
            }
            #expect(address == .unixSocket(path: path))
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            try outcome.get()
        }
    }

    @Test func `is there for its owner alone while it listens, and gone after`() async throws {
        let place = try Place()
        try await Self.withListener(at: place.path) {
            #expect(place.mode == 0o600)
            let client = try await RawClient.connect(socket: place.path)
            client.send(
                "POST /admin/v1/a%20b?c=d HTTP/1.1\r\nHost: t\r\nIdempotency-Key: k\r\n"
                    + "Connection: close\r\nContent-Length: 3\r\n\r\nabc")
            let answer = await client.rest()
            #expect(
                answer.hasPrefix("HTTP/1.1 201") && answer.contains("idempotent-replayed: true"))
            #expect(answer.contains("cache-control: no-store"))
            #expect(answer.hasSuffix(#"{"said":"POST /admin/v1/a%20b c=d 3 k"}"#))
            let probe = try await RawClient.connect(socket: place.path)
            probe.send("GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            let health = await probe.rest()
            #expect(health.hasPrefix("HTTP/1.1 200"))
        }
        #expect(place.mode == nil)
    }

    @Test func `a body beyond the listener's limit never reaches the API`() async throws {
        let place = try Place()
        try await Self.withListener(at: place.path) {
            let client = try await RawClient.connect(socket: place.path)
            client.send(
                "POST /admin/v1/a HTTP/1.1\r\nHost: t\r\nContent-Length: 1025\r\n\r\n")
            let answer = await client.rest()
            #expect(answer.hasPrefix("HTTP/1.1 413"))
            // In the words of the API that it was meant for.
            #expect(answer.hasSuffix(#"{"refused":"The body is larger than 1024 bytes."}"#))
            let other = try await RawClient.connect(socket: place.path)
            other.send("POST /healthz HTTP/1.1\r\nHost: t\r\nContent-Length: 1025\r\n\r\n")
            let usual = await other.rest()
            #expect(usual.hasPrefix("HTTP/1.1 413") && usual.contains("\"request_id\""))
        }
    }

    @Test func `an answer in pieces ends with its last chunk, and the connection goes on`()
        async throws
    {
        let place = try Place()
        let api = PiecesAPI([.bytes(Array("two".utf8)), .bytes([]), .end])
        try await Self.withListener(at: place.path, api: api) {
            let client = try await RawClient.connect(socket: place.path)
            client.send("GET /admin/v1/a HTTP/1.1\r\nHost: t\r\n\r\n")
            let answer = await client.received("0\r\n\r\n")
            #expect(answer.contains("content-type: text/csv\r\n"))
            #expect(answer.contains("transfer-encoding: chunked\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"))
            client.send("GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            let rest = await client.rest()
            #expect(rest.dropFirst(answer.count).hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func `an answer that breaks off has no last chunk`() async throws {
        let place = try Place()
        let api = PiecesAPI([.bytes(Array("two".utf8)), .broken])
        try await Self.withListener(at: place.path, api: api) {
            let client = try await RawClient.connect(socket: place.path)
            client.send("GET /admin/v1/a HTTP/1.1\r\nHost: t\r\n\r\n")
            let answer = await client.rest()
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("3\r\none\r\n"))
            #expect(!answer.contains("0\r\n\r\n"))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `nothing more is read for a client that has left`() async throws {
        let place = try Place()
        // Without an end: only the client's leaving ends it.
        let api = PiecesAPI([.bytes([UInt8](repeating: 65, count: 1 << 20))])
        try await Self.withListener(at: place.path, api: api) {
            let client = try await RawClient.connect(socket: place.path)
            client.send("GET /admin/v1/a HTTP/1.1\r\nHost: t\r\n\r\n")
            _ = await api.asked.wait(for: 3)
            try await client.close()
            let ended = await api.released.wait(for: 1)
            #expect(ended == api.asked.elements.suffix(1))
        }
    }

    @Test func `what a dead process left is replaced`() async throws {
        let place = try Place()
        let dead = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(unixDomainSocketPath: place.path + "-2").get()
        // Closing takes its own file away, which a death does not: another name of it stays.
        try FileManager.default.linkItem(atPath: place.path + "-2", toPath: place.path)
        try await dead.close()
        #expect(place.mode != nil)
        try await Self.withListener(at: place.path) { #expect(place.mode == 0o600) }
    }

    @Test func `the socket of a process that lives is left alone, and that is told`() async throws {
        let place = try Place()
        let living = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(unixDomainSocketPath: place.path).get()
        let failure = await #expect(throws: (any Error).self) {
            try await Self.withListener(at: place.path) {}
        }
        #expect("\(failure.map { "\($0)" } ?? "")".contains("a process that lives listens there"))
        #expect(place.mode != nil)
        let client = try await RawClient.connect(socket: place.path)
        try await client.close()
        try await living.close()
    }

    @Test func `a file that is no socket is left alone, and so is a folder that is missing`()
        async throws
    {
        let place = try Place()
        try Data("precious".utf8).write(to: URL(fileURLWithPath: place.path))
        let failure = await #expect(throws: (any Error).self) {
            try await Self.withListener(at: place.path) {}
        }
        #expect("\(failure.map { "\($0)" } ?? "")".contains("is no socket"))
        #expect(try String(contentsOfFile: place.path, encoding: .utf8) == "precious")
        let missing = await #expect(throws: (any Error).self) {
            try await Self.withListener(at: place.folder + "/none/admin.sock") {}
        }
        #expect("\(missing.map { "\($0)" } ?? "")".contains("make it first"))
    }
}
