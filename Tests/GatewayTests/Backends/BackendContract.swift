import Curl
import Domain
import TestSupport
import Testing

@testable import Gateway

/// What every backend promises, kept by each of them.
@Suite(.timeLimit(.minutes(1))) struct BackendContract {
    /// The backends that keep it.
    enum Subject: String, CaseIterable, Sendable {
        /// The real engine with the demo model.
        case localEngine
        /// An upstream that answers as the demo model does.
        case openAIUpstream
        /// An upstream that answers so in Anthropic's format.
        case anthropicUpstream

        func run(_ body: @Sendable (any Backend) async throws -> Void) async throws {
            switch self {
            case .localEngine:
                let folder = try TemporaryFolder()
                try await TestEngine.run(try TestEngine.configuration(in: folder, slots: 1)) {
                    engine in
                    try await engine.waitUntilHealthy(timeout: .seconds(30))
                    try await body(engine)
                }
            case .openAIUpstream:
                let upstream = try ScriptedUpstream(script: ScriptedDemoModel.answer)
                defer { upstream.stop() }
                let client = try CurlClient(logger: .quiet)
                var configuration = OpenAIUpstreamConfiguration(
                    name: "upstream", baseURL: upstream.baseURL, credential: nil)
                configuration.transport.addresses = .thisMachine
                try await body(
                    OpenAIUpstream(
                        configuration, client: client, time: MachineTime(), logger: .quiet))
                await client.shutdown()
            case .anthropicUpstream:
                let upstream = try ScriptedUpstream(script: ScriptedMessagesModel.answer)
                defer { upstream.stop() }
                let client = try CurlClient(logger: .quiet)
                var configuration = AnthropicUpstreamConfiguration(
                    name: "upstream", baseURL: upstream.baseURL, credential: nil)
                configuration.transport.addresses = .thisMachine
                try await body(
                    AnthropicUpstream(
                        configuration, client: client, time: MachineTime(), logger: .quiet))
                await client.shutdown()
            }
        }
    }

    private static let question = "What is the capital of France?"
    private static let text = "The capital of France is Paris."

    @Test(arguments: Subject.allCases, [true, false])
    func `an answer arrives whole with its usage, streamed or not`(
        subject: Subject, streams: Bool
    ) async throws {
        try await subject.run { backend in
            let call = BackendCall.ask(Self.question, streams: streams)
            let answer = try await WholeAnswer(backend.forward(call))
            #expect(answer.text == Self.text)
            #expect(answer.finishReason == .stop)
            #expect(answer.usage?.prompt == 18)
            #expect(answer.usage?.completion == 13)
        }
    }

    @Test(arguments: Subject.allCases)
    func `the bound is what the backend generates at most`(subject: Subject) async throws {
        try await subject.run { backend in
            let answer = try await WholeAnswer(backend.forward(.ask(Self.question, bound: 5)))
            #expect(answer.finishReason == .length)
            #expect(answer.usage?.completion == 5)
            #expect(Self.text.hasPrefix(answer.text) && answer.text != Self.text)
        }
    }

    @Test(arguments: Subject.allCases)
    func `a cancelled answer ends at once and leaves its place to the next`(
        subject: Subject
    ) async throws {
        try await subject.run { backend in
            for _ in 0..<5 {
                let answer = try await backend.forward(.ask("Tell me a story.", bound: 900))
                _ = try await answer.next()
                let start = ContinuousClock.now
                answer.cancel()
                answer.cancel()
                let failure = await failure { while try await answer.next() != nil {} }
                #expect(failure?.kind == .cancelled)
                #expect(ContinuousClock.now - start < .milliseconds(100))
            }
            _ = try await WholeAnswer(backend.forward(.ask(Self.question)))
        }
    }

    @Test(arguments: Subject.allCases)
    func `a cancelled task ends its call as cancelled`(subject: Subject) async throws {
        try await subject.run { backend in
            try await withThrowingTaskGroup(of: BackendFailure?.self) { group in
                let begun = Gate(isOpen: false)
                group.addTask {
                    await failure {
                        let answer = try await backend.forward(.ask("Tell a story.", bound: 900))
                        begun.open()
                        while try await answer.next() != nil {}
                    }
                }
                await begun.pass()
                group.cancelAll()
                // The answer may have been read to its end before the task heard of it.
                if let failure = try await group.next() ?? nil {
                    #expect(failure.kind == .cancelled)
                }
            }
            _ = try await WholeAnswer(backend.forward(.ask(Self.question)))
        }
    }

    @Test(arguments: Subject.allCases)
    func `a prompt beyond the context is told as such`(subject: Subject) async throws {
        try await subject.run { backend in
            let long = String(repeating: "hello ", count: 2000)
            let failure = await failure { _ = try await backend.forward(.ask(long)) }
            guard case .contextExceeded(let prompt, let context)? = failure?.kind else {
                Issue.record("ended with \(String(describing: failure))")
                return
            }
            #expect(context == 1024)
            #expect(prompt.map { $0 > 1024 } ?? true)
        }
    }

    @Test(arguments: [Subject.localEngine, .openAIUpstream])
    func `every role and parameter that is accepted arrives without complaint`(
        subject: Subject
    ) async throws {
        try await subject.run { backend in
            let call = BackendCall.ask(Self.question, bound: 8) { request in
                request.messages = ChatMessage.Role.allCases.map {
                    ChatMessage(role: $0, content: .parts([.text("a"), .text("b")]), name: "n")
                }
                request.temperature = 0.5
                request.topP = 0.9
                request.frequencyPenalty = 0.5
                request.presencePenalty = -0.5
                request.seed = -1
                request.stop = ["\u{1F600}", "x\"y"]
                request.user = "u"
                request.includesUsage = true
            }
            #expect(
                backend.unsupportedParameter(
                    in: call.request, completionBound: call.completionBound) == nil)
            let answer = try await WholeAnswer(backend.forward(call))
            #expect((answer.usage?.completion ?? .max) <= 8)
        }
    }
}
