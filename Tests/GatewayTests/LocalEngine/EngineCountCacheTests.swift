import Domain
import Foundation
import Testing

@testable import Gateway

@Suite struct EngineCountCaches {
    private func key(_ text: String, of team: Int64 = 1) -> PromptCountCache.Key {
        PromptCountCache.Key(
            Array(text.utf8), of: BackendCall.Team(id: TeamID(rawValue: team), name: ""))
    }

    @Test func `a count is known until twice as many others came and was asked for never`() {
        var counts = PromptCountCache(capacity: 10)
        counts.note(7, of: key("first"))
        for number in 0..<9 { counts.note(1, of: key("\(number)")) }
        #expect(counts.size == 10)
        for number in 10..<19 { counts.note(1, of: key("\(number)")) }
        let kept = counts.count(of: key("first"))
        #expect(kept == 7)
        // Asked for, it is as new as any.
        for number in 20..<30 { counts.note(1, of: key("\(number)")) }
        let stillKept = counts.count(of: key("first"))
        #expect(stillKept == 7)
        for number in 30..<60 { counts.note(1, of: key("\(number)")) }
        let forgotten = counts.count(of: key("first"))
        #expect(forgotten == nil)
        #expect(counts.size <= 20)
    }

    @Test func `another team's count is nobody else's`() {
        var counts = PromptCountCache(capacity: 10)
        counts.note(7, of: key("what", of: 1))
        let (own, other) = (
            counts.count(of: key("what", of: 1)), counts.count(of: key("what", of: 2))
        )
        #expect(own == 7 && other == nil)
        counts.clear()
        #expect(counts.size == 0)
    }

    @Test func `what is counted is all of the prompt and nothing else`() throws {
        func text(_ change: (inout ChatCompletionRequest) -> Void) -> [UInt8] {
            let call = BackendCall.ask("hi", bound: 9, change: change)
            return ForwardedBody.make(call.counted, in: .llamaServer, streams: false)
        }
        let plain = text { _ in }
        #expect(
            text {
                ($0.temperature, $0.seed, $0.stop) = (0.3, 9, ["x"])
                ($0.maximumCompletionTokens, $0.choices, $0.overflow) = (5, 2, .error)
                $0.streams.toggle()
            } == plain)
        #expect(text { $0.reasoning.isEnabled = true } != plain)
        #expect(text { $0.format = .jsonObject } != plain)
        #expect(text { $0.messages[0].role = .system } != plain)
    }
}

/// How often the real engine is asked.
@Suite(.serialized, .timeLimit(.minutes(1))) struct EngineCountQuestions {
    @Test func `a prompt is counted once, for its bound and for its own overflow`() async throws {
        let folder = try TemporaryFolder()
        try await TestEngine.run(try TestEngine.configuration(in: folder)) { engine in
            try await engine.waitUntilHealthy(timeout: .seconds(20))
            let call = BackendCall.ask("What is the capital of Japan?", bound: 20) {
                $0.overflow = .error
            }
            let bound = try await engine.promptTokens(of: call)
            let answer = try await WholeAnswer(engine.forward(call))
            #expect(bound == answer.usage?.prompt)
            // Again, as a client that tries once more, with another seed.
            let again = BackendCall.ask("What is the capital of Japan?", bound: 20) {
                $0.overflow = .error
                $0.seed = 3
            }
            #expect(try await engine.promptTokens(of: again) == bound)
            _ = try await WholeAnswer(engine.forward(again))
            #expect(engine.countingQuestions == 1)
            _ = try await engine.promptTokens(of: .ask("another"))
            #expect(engine.countingQuestions == 2)
        }
    }

    @Test func `a known length still refuses what overflows the context`() async throws {
        let folder = try TemporaryFolder()
        try await TestEngine.run(try TestEngine.configuration(in: folder)) { engine in
            try await engine.waitUntilHealthy(timeout: .seconds(20))
            let call = BackendCall.ask("hi", bound: 1020) {
                $0.overflow = .error
                $0.maximumCompletionTokens = 1020
            }
            let count = try #require(try await engine.promptTokens(of: call))
            let refused = await failure { _ = try await engine.forward(call) }
            #expect(
                refused?.kind == .contextExceeded(promptTokens: count, contextTokens: 1024))
            #expect(engine.countingQuestions == 1)
        }
    }
}
