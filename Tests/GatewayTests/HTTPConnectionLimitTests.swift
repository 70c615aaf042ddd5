import Domain
import Testing

@testable import Gateway

@Suite struct ConnectionCounts {
    @Test func `a connection beyond the most waits until another closes`() async throws {
        try await withGateway(
            backend: ScriptedBackend(.text(["x"], nil)), { $0.mostConnections = 1 }
        ) { gateway in
            let first = try await RawClient.connect(gateway.port)
            first.send("GET /no HTTP/1.1\r\nHost: t\r\n\r\n")
            _ = await first.received("HTTP/1.1 404")
            let second = try await RawClient.connect(gateway.port)
            second.send("GET /no HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            first.send("GET /again HTTP/1.1\r\nHost: t\r\n\r\n")
            _ = await first.received("HTTP/1.1 404", times: 2)
            #expect(second.soFar.isEmpty)
            try await first.close()
            let answer = await second.rest()
            #expect(answer.hasPrefix("HTTP/1.1 404"))
        }
    }
}

@Suite struct ConnectionDeadlineRules {
    @Test func `a body earns its time by its speed, up to the most`() {
        let limits = ConnectionLimits()
        func seconds(_ bytes: Int) -> Int64 {
            ConnectionDeadlines.body(start: .init(microseconds: 0), bytes: bytes, limits: limits)
                .microseconds / 1_000_000
        }
        #expect(seconds(0) == 5)
        #expect(seconds(10 * 1024) == 15)
        #expect(seconds(4_000_000) == 30)
    }

    @Test func `the weightiest deadline is told first`() {
        var deadlines = ConnectionDeadlines()
        #expect(deadlines.earliest == nil)
        deadlines.ping = .init(microseconds: 1)
        deadlines.stall = .init(microseconds: 2)
        #expect(deadlines.earliest == .init(microseconds: 1))
        #expect(deadlines.due(at: .init(microseconds: 0)) == nil)
        #expect(deadlines.due(at: .init(microseconds: 1)) == .ping)
        #expect(deadlines.due(at: .init(microseconds: 2)) == .stalled)
    }
}
