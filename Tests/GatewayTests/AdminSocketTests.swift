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
        at path: String, bodyBytes: Int = 1024, _ body: () async throws -> Void
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
            AdminResponder(activity: activity, api: EchoAPI(), metrics: MetricsRegistry()) {
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
