import Domain
import Testing

@testable import Gateway

@Suite struct ChatCompletionsOfSeveralChoices {
    private static func body(_ choices: Int, streams: Bool = false) -> String {
        #"{"model":"tiny","messages":"hi","n":\#(choices),"max_tokens":8,"stream":\#(streams)}"#
    }

    private static func text(_ text: String, _ index: Int) -> BackendEvent {
        BackendEvent(deltas: [ChoiceDelta(index: index, content: text)])
    }

    private static func end(_ index: Int, usage: TokenUsage? = nil) -> BackendEvent {
        BackendEvent(deltas: [ChoiceDelta(index: index, finishReason: .stop)], usage: usage)
    }

    private static let usage = TokenUsage(prompt: 5, completion: 3)

    private func answer(_ events: [BackendEvent]) -> ScriptedBackend {
        ScriptedBackend(.answer(FedAnswer([events], ends: true)))
    }

    @Test func `the prompt is reserved once and every choice at its bound`() async throws {
        let backend = answer([
            Self.text("b", 1), Self.text("a", 0), Self.end(1), Self.end(0, usage: Self.usage),
        ])
        try await withGateway(backend: backend) { gateway in
            let answer = try await gateway.post(Self.body(2))
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            let first = try #require(answer.firstRange(of: #""index":0"#))
            let second = try #require(answer.firstRange(of: #""index":1"#))
            #expect(first.lowerBound < second.lowerBound)
            let bound = gateway.ledger.admissions.elements.map(\.bound)
            #expect(bound == [TokenBound(prompt: 86, completion: 16)])
            #expect(gateway.backend.calls.elements.map(\.completionBound) == [8])
            #expect(gateway.ledger.settlements.elements.map(\.usage) == [Self.usage])
        }
    }

    @Test func `a stream tells the role and the end of each choice once`() async throws {
        let backend = answer([
            Self.text("b", 1), Self.text("a", 0), Self.end(1), Self.text("c", 0),
            Self.end(0, usage: Self.usage),
        ])
        try await withGateway(backend: backend) { gateway in
            let answer = try await gateway.post(Self.body(2, streams: true))
            for index in 0...1 {
                let role = #""index":\#(index),"delta":{"role":"assistant""#
                let end = #""index":\#(index),"delta":{},"finish_reason":"stop""#
                #expect(answer.components(of: role) == 1)
                #expect(answer.components(of: end) == 1)
            }
            #expect(answer.contains("data: [DONE]"))
        }
    }

    @Test(arguments: [
        [Self.text("a", 0), Self.end(0)], (0...2).flatMap { [Self.text("a", $0), Self.end($0)] },
    ])
    func `fewer choices than were asked for, or others, are the backend's failure`(
        _ events: [BackendEvent]
    ) async throws {
        try await withGateway(backend: answer(events)) { gateway in
            let plain = try await gateway.post(Self.body(2))
            #expect(plain.hasPrefix("HTTP/1.1 502"))
            #expect(gateway.ledger.settlements.elements.map(\.basis) == [.void])
        }
        try await withGateway(backend: answer(events)) { gateway in
            let stream = try await gateway.post(Self.body(2, streams: true))
            #expect(stream.contains(#"{"error":{"#) && !stream.contains("[DONE]"))
        }
    }

    @Test func `the bound of all choices together is enforced, and each one ends`() async throws {
        let events = (0..<40).map { Self.text("x", $0 % 2) }
        try await withGateway(backend: answer(events)) { gateway in
            let stream = try await gateway.post(Self.body(2, streams: true))
            #expect(stream.components(of: #""content":"x""#) == 16)
            #expect(stream.components(of: #""finish_reason":"length""#) == 2)
            #expect(gateway.ledger.settlements.elements.map(\.usage.completion) == [16])
        }
    }

    @Test func `an operator may allow fewer choices`() async throws {
        try await withGateway(backend: answer([]), { $0.mostChoices = 2 }) { gateway in
            let answer = try await gateway.post(Self.body(3))
            #expect(answer.hasPrefix("HTTP/1.1 400"))
            #expect(answer.contains(#""param":"n","code":"integer_above_max_value""#))
        }
    }
}
