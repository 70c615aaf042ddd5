import Domain
import Synchronization
import Testing

@testable import Gateway

/// Checks of personal data come before admission: what they may take of the machine is bounded.
@Suite(.timeLimit(.minutes(1))) struct ChecksBeforeAdmission {
    /// A recogniser whose texts wait at a door; it counts how many are there at once.
    private final class HeldRecognizer: TextRecognizer {
        let isRemote: Bool
        let door = Door(isOpen: false)
        let arrivals = Journal<Int>()
        private let inside = Mutex((now: 0, most: 0))

        init(isRemote: Bool = false) { self.isRemote = isRemote }

        var most: Int { inside.withLock { $0.most } }

        func findings(in text: String) async -> [EntityFinding] {
            inside.withLock { inside in
                inside.now += 1
                inside.most = max(inside.most, inside.now)
            }
            arrivals.append(text.utf8.count)
            await door.pass()
            inside.withLock { $0.now -= 1 }
            return []
        }
    }

    private static func body(_ bytes: Int = 8) -> String {
        let text = String(repeating: "x", count: bytes)
        return #"{"model":"large","messages":"\#(text)","max_tokens":8,"input":{"pii":"block"}}"#
    }

    private func withHeld(
        _ recognizer: HeldRecognizer, _ body: (RunningGateway) async throws -> Void
    ) async throws {
        try await withGateway(
            backend: ScriptedBackend(.text(["x"], nil)), recognizers: [recognizer],
            {
                $0.checks.running = 1
                $0.checks.waitingBytesOfKey = 40_000
            }, body)
    }

    private func send(
        _ gateway: RunningGateway, _ body: String, _ more: String = ""
    ) async throws -> RawClient {
        let client = try await RawClient.connect(gateway.port)
        client.send(RunningGateway.post(body, "Connection: close\r\n" + more))
        return client
    }

    @Test func `one check at a time runs, the others wait, and requests without one pass them`()
        async throws
    {
        let recognizer = HeldRecognizer()
        try await withHeld(recognizer) { gateway in
            var clients: [RawClient] = []
            for _ in 0..<5 { clients.append(try await send(gateway, Self.body())) }
            _ = await recognizer.arrivals.wait(for: 1)
            let other = try await gateway.post(RunningGateway.plain)
            #expect(other.hasPrefix("HTTP/1.1 200"))
            #expect(gateway.ledger.admissions.elements.count == 1, "none that waits is admitted")
            recognizer.door.open()
            for client in clients { #expect(await client.rest().hasPrefix("HTTP/1.1 200")) }
            #expect(recognizer.most == 1 && recognizer.arrivals.elements.count == 5)
        }
    }

    @Test func `what would wait beyond the bound is told to come back, and costs nothing`()
        async throws
    {
        let recognizer = HeldRecognizer()
        try await withHeld(recognizer) { gateway in
            let first = try await send(gateway, Self.body(30_000))
            _ = await recognizer.arrivals.wait(for: 1)
            // Which of the two comes first is theirs to race; only one can wait.
            let rivals = [
                try await send(gateway, Self.body(30_000), "Idempotency-Key: a\r\n"),
                try await send(gateway, Self.body(30_000), "Idempotency-Key: b\r\n"),
            ]
            // Both claim, and the one that is refused gives its claim back.
            #expect(await gateway.claims.calls.wait(for: 3).contains(.release))
            #expect(gateway.ledger.admissions.elements.isEmpty)
            recognizer.door.open()
            #expect(await first.rest().hasPrefix("HTTP/1.1 200"))
            var answers: [String] = []
            for rival in rivals { answers.append(await rival.rest()) }
            answers.sort()
            #expect(answers[0].hasPrefix("HTTP/1.1 200"))
            #expect(answers[1].hasPrefix("HTTP/1.1 503"))
            #expect(answers[1].contains(#""code":"server_is_overloaded""#))
            #expect(answers[1].header("retry-after") != nil)
        }
    }

    @Test func `a client that leaves while it waits is not checked, and nothing is reserved`()
        async throws
    {
        let recognizer = HeldRecognizer()
        try await withHeld(recognizer) { gateway in
            let first = try await send(gateway, Self.body())
            _ = await recognizer.arrivals.wait(for: 1)
            let second = try await send(gateway, Self.body(16), "Idempotency-Key: a\r\n")
            _ = await gateway.claims.calls.wait(for: 1)
            try await second.close()
            // Its place is given up before its turn.
            #expect(await gateway.claims.calls.wait(for: 2).last == .release)
            recognizer.door.open()
            #expect(await first.rest().hasPrefix("HTTP/1.1 200"))
            let last = try await gateway.post(Self.body(24))
            #expect(last.hasPrefix("HTTP/1.1 200"))
            #expect(recognizer.arrivals.elements == [8, 24])
            #expect(gateway.ledger.admissions.elements.count == 2)
        }
    }

    @Test func `who waits for a service elsewhere holds no place`() async throws {
        let recognizer = HeldRecognizer(isRemote: true)
        try await withHeld(recognizer) { gateway in
            var clients: [RawClient] = []
            for _ in 0..<3 { clients.append(try await send(gateway, Self.body())) }
            _ = await recognizer.arrivals.wait(for: 3)
            recognizer.door.open()
            for client in clients { #expect(await client.rest().hasPrefix("HTTP/1.1 200")) }
            #expect(recognizer.most == 3)
        }
    }
}
