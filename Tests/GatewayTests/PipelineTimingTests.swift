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
    @Test(arguments: [false, true])
    func `the first token's time is the backend's, however long the ledger takes`(
        _ streams: Bool
    ) async throws {
        let (time, ledger) = (WatchedTime(), HeldLedger(accepting: false))
        let route = ModelRoute(
            alias: "m", backends: ["local"], upstreamModel: "m", contextTokens: 1024,
            maximumCompletionTokens: 512, imageTokens: nil, price: nil)
        let pipeline = CompletionPipeline(
            ledger: ledger, idempotency: ScriptedClaims(), keys: OneKey(),
            catalog: CatalogHolder(Catalog(routes: [route])),
            routing: Routing(
                BackendSet([ScriptedBackend(.text(["a", "b"], nil))]), RoutingPolicy(),
                random: { 4 }, pause: { _ in }), time: time,
            defaultCompletionTokens: 8,
            safeguard: Safeguard(
                personalData: PersonalDataCheck(recognizers: [StructuredRecognizer()]),
                random: { 4 }, room: CheckRoom(CheckLimits(), processors: 2)),
            judge: nil, shadows: nil)
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
}
