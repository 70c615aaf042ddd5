import Domain
import Synchronization
import Testing

@testable import Gateway

/// How much of a prompt is reserved before anything is sent.
@Suite struct PromptMeasures {
    private static let body = #"{"model":"tiny","messages":"hi","max_tokens":8}"#

    @Test(arguments: [1, 77, 100_000])
    func `what a backend counts beforehand is what is reserved`(_ count: Int64) async throws {
        let backend = ScriptedBackend(.text(["x"], nil))
        try await withGateway(backend: backend) { gateway in
            backend.count.withLock { $0 = .success(count) }
            let answer = try await gateway.post(Self.body)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            let bound = try #require(gateway.ledger.admissions.elements.first?.bound)
            #expect(bound.prompt == count && bound.completion == 8)
        }
    }

    @Test func `a prompt that cannot be counted now is neither reserved nor sent`() async throws {
        let backend = ScriptedBackend(.text(["x"], nil))
        try await withGateway(backend: backend) { gateway in
            backend.count.withLock {
                $0 = .failure(BackendFailure(kind: .timedOut, detail: "secret"))
            }
            let answer = try await gateway.post(Self.body)
            #expect(answer.hasPrefix("HTTP/1.1 504") && !answer.contains("secret"))
            #expect(gateway.ledger.admissions.elements.isEmpty && backend.calls.elements.isEmpty)
        }
    }

    private static let everything =
        #"{"model":"tiny","max_tokens":8,"messages":[{"role":"user","content":"hi"},"#
        + #"{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]},"#
        + #"{"role":"tool","tool_call_id":"c","content":"x"}],"#
        + #""tools":[{"type":"function","function":{"name":"f"}},"#
        + #"{"type":"function","function":{"name":"g"}}],"#
        + #""response_format":{"type":"json_object"},"chat_template_kwargs":{"a":1}}"#

    @Test func `the constants of a bound are the model's own`() throws {
        let request = try readRequest(body: Self.everything)
        var route = ModelRoute(
            alias: "tiny", backends: ["local"], upstreamModel: "t", contextTokens: 1024,
            maximumCompletionTokens: 512, imageTokens: nil, price: nil)
        func bound(_ change: (inout PromptOverhead) -> Void) -> Int64 {
            route.overhead = .usual
            change(&route.overhead)
            return PromptBound.tokens(request, at: route)
        }
        let usual = bound { _ in }
        #expect(usual == PromptBound.tokens(request, imageTokens: 0))
        #expect(bound { $0.request += 1000 } == usual + 1000)
        // Three messages, a call and an argument.
        #expect(bound { $0.message += 1000 } == usual + 5000)
        #expect(bound { $0.tools += 1000 } == usual + 1000)
        #expect(bound { $0.tool += 1000 } == usual + 2000)
        #expect(bound { $0.format += 1000 } == usual + 1000)
    }

    @Test(arguments: [false, true])
    func `an upstream that reports more than was reserved is charged at the bound`(
        _ streams: Bool
    ) async throws {
        let lie = TokenUsage(prompt: 1 << 40, completion: 1 << 40)
        try await withGateway(backend: ScriptedBackend(.text(["x"], lie))) { gateway in
            _ = try await gateway.post(
                #"{"model":"tiny","messages":"hi","max_tokens":8,"stream":\#(streams)}"#)
            let bound = try #require(gateway.ledger.admissions.elements.first?.bound)
            let settlement = try #require(gateway.ledger.settlements.elements.first)
            let price = Price(
                version: 1, prompt: NanoUSD(rawValue: 1_000_000),
                cached: NanoUSD(rawValue: 1_000_000), cacheWrite: NanoUSD(rawValue: 1_000_000),
                completion: NanoUSD(rawValue: 3_000_000))
            let charge = Charge(settlement, bound: bound, price: price)
            #expect(charge.tokens == bound.total && charge.overage == lie.total - bound.total)
            #expect(charge.cost == NanoUSD(rawValue: bound.prompt + 3 * bound.completion))
        }
    }
}
