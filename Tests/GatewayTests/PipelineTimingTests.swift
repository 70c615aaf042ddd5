import Domain
import TestSupport
import Testing

@testable import Gateway

/// Time that tells a test when it was looked at.
private final class WatchedTime: TimeSource {
    let time = TestTime()
    let looks = Journal<Uptime>()

    var wall: Timestamp { time.wall }

    var uptime: Uptime {
        let uptime = time.uptime
        looks.append(uptime)
        return uptime
    }
}

@Suite struct Timings {
    private static func pipeline(
        _ ledger: HeldLedger, _ backend: ScriptedBackend, _ time: any TimeSource
    ) -> CompletionPipeline {
        let route = ModelRoute(
            alias: "m", backends: ["local"], upstreamModel: "m", contextTokens: 1024,
            maximumCompletionTokens: 512, imageTokens: nil, price: nil)
        return CompletionPipeline(
            ledger: ledger, idempotency: ScriptedClaims(), keys: OneKey(),
            catalog: CatalogHolder(Catalog(routes: [route])),
            routing: Routing(
                BackendSet([backend]), RoutingPolicy(),
                random: { 4 }, pause: { _ in }), time: time,
            defaultCompletionTokens: 8,
            safeguard: Safeguard(
                personalData: PersonalDataCheck(recognizers: [StructuredRecognizer()]),
                random: { 4 }, room: CheckRoom(CheckLimits(), processors: 2)),
            judge: nil, shadows: nil)
    }

    @Test(arguments: [false, true])
    func `the first token's time is the backend's, however long the ledger takes`(
        _ streams: Bool
    ) async throws {
        let (time, ledger) = (WatchedTime(), HeldLedger(accepting: false))
        let pipeline = Self.pipeline(ledger, ScriptedBackend(.text(["a", "b"], nil)), time)
        let exchange = Exchange(
            requestID: RequestID(rawValue: 1), receivedAt: Uptime(microseconds: 0),
            receivedAtWall: time.wall, presence: ClientPresence(), notes: RequestNotes(),
            executor: nil)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let request = ChatCompletionRequest.plain { $0.streams = streams }
                switch try await pipeline.respond(to: request, from: .tester, in: exchange) {
                case .metered(.whole): break
                case .stored: Issue.record("nothing is stored")
                case .metered(.stream(var stream)):
                    while case .pieces = await stream.next() {}
                }
            }
            // Looked at on admission, and when the first text came.
            _ = await time.looks.wait(for: 2)
            time.time.advance(by: .seconds(3))
            ledger.accepting.open()
            try await group.waitForAll()
        }
        let settlement = try #require(ledger.settlements.elements.first)
        #expect(settlement.timeToFirstToken == .zero)
        #expect(settlement.duration == .seconds(3))
    }

    /// What tells a client that it is waited for is a byte of an answer (gate G1).
    @Test func `a waiting client is told so only once the ledger has accepted its request`()
        async throws
    {
        let (ledger, fed) = (HeldLedger(accepting: false), FedAnswer([], ends: false))
        let backend = ScriptedBackend(.answer(fed))
        let pipeline = Self.pipeline(ledger, backend, TestTime())
        let told = Journal<Bool>()
        var waiting = Exchange(
            requestID: RequestID(rawValue: 1), receivedAt: Uptime(microseconds: 0),
            receivedAtWall: TestTime().wall, presence: ClientPresence(), notes: RequestNotes(),
            executor: nil)
        waiting.announcement = StreamAnnouncement { told.append(true) }
        let exchange = waiting
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let request = ChatCompletionRequest.plain { $0.streams = true }
                switch try await pipeline.respond(to: request, from: .tester, in: exchange) {
                case .metered(.stream(var stream)): while case .pieces = await stream.next() {}
                case .metered(.whole): Issue.record("it is no stream")
                case .stored: Issue.record("nothing is stored")
                }
            }
            _ = await backend.calls.wait(for: 1)
            #expect(told.elements.isEmpty)
            ledger.accepting.open()
            #expect(await told.wait(for: 1).count == 1)
            fed.feed(.text("a"), .end())
            fed.feed(.success(nil))
            try await group.waitForAll()
        }
        #expect(ledger.settlements.elements.map(\.endState) == [.finished])
    }
}
