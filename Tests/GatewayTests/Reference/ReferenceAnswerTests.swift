import Domain
import JSON
import NIOCore
import Testing

@testable import Gateway

/// The reference of answers and the writers say the same: answers with everything there can be are
/// held against the schemas, and every member of the schemas must have been seen.
@Suite struct ReferenceOfAnswers {
    private static let identity = {
        var identity = CompletionIdentity(
            RequestID(at: Timestamp(microseconds: 1_800_000_000_000_000), random: (1, 2)),
            createdAt: Timestamp(microseconds: 1_800_000_000_000_000), model: "m", backend: "b")
        identity.serviceTier = .flex
        return identity
    }()
    private static let timings = AnswerTimings(
        queue: .milliseconds(1), firstToken: .milliseconds(2), total: .milliseconds(9))
    private static let logprobs = [
        TokenLogprob(
            drawn: .init(token: "a", logprob: -0.5, bytes: [97]),
            alternatives: [.init(token: "b", logprob: TokenLogprob.least, bytes: nil)])
    ]
    private static let citation = Annotation(start: 0, end: 1, title: "t", url: "u")
    private static let customCall = ToolCallDelta(
        index: 1, id: "d", name: "g", arguments: "x", isCustom: true)
    private static let call = ToolCallDelta(index: 0, id: "c", name: "f", arguments: "{}")

    private static let moderation = ModerationReport(
        input: .failed,
        output: .results(
            model: "m",
            [
                .init(
                    isFlagged: true, model: "m",
                    categories: [
                        .init(name: "c", isFlagged: true, score: 0.5, inputTypes: ["text"])
                    ])
            ]))

    private static let parts = UsageParts(promptText: 1, promptImage: 2, completionText: 1)

    /// All that a request can ask to be told.
    private static func style(isLegacy: Bool) -> AnswerStyle {
        var style = AnswerStyle()
        style.showsUsage = true
        style.showsLogprobs = true
        style.usesFunctionCall = isLegacy
        style.mirrorsReasoning = true
        style.hidesLengths = true
        style.metadata = [MetadataEntry(key: "a", value: "b")]
        return style
    }

    /// Whole answers.
    private static var completions: [[UInt8]] {
        let reasons = FinishReason.allCases
        var choices = reasons.indices.map { CompletedAnswer.Choice(index: $0) }
        for index in choices.indices {
            choices[index].content = "a"
            choices[index].finishReason = reasons[index]
        }
        choices[0].refusal = "no"
        choices[0].content = ""
        choices[1].reasoning = "hm"
        choices[1].channel = .final
        choices[1].logprobs = logprobs
        choices[1].refusalLogprobs = logprobs
        choices[1].annotations = [citation]
        choices[2].toolCalls = [call, customCall]
        choices[2].sound = SoundPiece(id: "a")
        var answer = CompletedAnswer(
            choices: choices, usage: TokenUsage(prompt: 3, completion: 2), timings: timings)
        answer.moderation = moderation
        answer.parts = parts
        return [false, true].map {
            ChatCompletionWriter.write(answer, identity, in: style(isLegacy: $0))
        } + [ChatCompletionWriter.write(answer, identity, in: AnswerStyle())]
    }

    /// The events of streams, without `[DONE]`.
    private static var chunks: [[UInt8]] {
        [false, true].flatMap { isLegacy in
            var writer = ServerSentEventWriter(identity, in: style(isLegacy: isLegacy))
            writer.begin(choice: 0)
            var delta = ChoiceDelta(index: 0, content: "a", refusal: "b", reasoning: "c")
            delta.logprobs = logprobs
            delta.channel = .analysis
            delta.annotations = [citation]
            delta.sound = SoundPiece(id: "a", data: "AAAA", transcript: "a", expiresAt: 1)
            delta.toolCalls = [call, customCall]
            writer.append(delta)
            delta.toolCalls = [ToolCallDelta(index: 0, arguments: "}")]
            writer.append(delta)
            writer.append(ChoiceDelta(index: 0, finishReason: .toolCalls))
            writer.append(moderation)
            writer.finish(usage: TokenUsage(prompt: 3, completion: 2), .none, timings)
            return String(buffer: writer.take()).split(separator: "\n\n").dropLast().map {
                Array($0.utf8.dropFirst("data: ".utf8.count))
            }
        }
    }

    @Test func `an answer has no member that is not described, and every one that is`() throws {
        var walk = SchemaWalk(testReference)
        for completion in Self.completions { try walk.check(completion, is: "ChatCompletion") }
        for chunk in Self.chunks { try walk.check(chunk, is: "ChatCompletionChunk") }
        let route = ModelRoute(
            alias: "m", backends: ["b"], upstreamModel: "u", contextTokens: 9,
            maximumCompletionTokens: 5, imageTokens: nil, price: nil)
        try walk.check(ModelsEndpoint.one(route), is: "Model")
        try walk.check(ModelsEndpoint.list([route]), is: "ModelList")
        try walk.check(BooksReference.usageExample, is: "KeyUsage")
        try walk.check(BooksReference.quotaExample, is: "KeyQuota")
        for grouping in OwnUsageQuestion.Grouping.allCases {
            try walk.check(HTTPOwnBooks.report(by: grouping), is: "KeyUsage")
        }
        for error in testReference.errors {
            try walk.check(error.answer.body(requestID: "req_1"), is: "ErrorBody")
        }
        #expect(walk.faults == [])
        #expect(walk.unseen(of: testReference.answerObjects.map(\.name)) == [])
    }

    @Test func `an example is an answer as it is described`() throws {
        var walk = SchemaWalk(testReference)
        for name in ["ChatCompletion", "Model", "ModelList", "KeyUsage", "KeyQuota"] {
            let example = try #require(ReferenceExamples.answer(name))
            try walk.check(Array(example.text.utf8), is: name)
        }
        guard case .string(let stream) = ReferenceExamples.stream else {
            Issue.record("a stream is text")
            return
        }
        let events = stream.split(separator: "\n\n")
        #expect(events.count == 5 && events.last == "data: [DONE]")
        for event in events.dropLast() {
            try walk.check(Array(event.utf8.dropFirst(6)), is: "ChatCompletionChunk")
        }
        #expect(walk.faults == [])
    }

    @Test func `a member that is not described is a fault, and so is one that is missing`() throws {
        var walk = SchemaWalk(testReference)
        try walk.check(Array(#"{"object":"list","data":[],"more":1}"#.utf8), is: "ModelList")
        try walk.check(Array(#"{"object":"list"}"#.utf8), is: "ModelList")
        try walk.check(Array(#"{"object":"lists","data":[]}"#.utf8), is: "ModelList")
        try walk.check(Array(#"{"object":"list","data":{}}"#.utf8), is: "ModelList")
        #expect(walk.faults.count == 4)
        #expect(walk.unseen(of: ["ModelList"]) == [])
        #expect(walk.unseen(of: ["Model"]).count == 6)
    }
}

@Suite struct ReferenceOfErrors {
    /// The failure's case: a new one does not compile until it is named here, and is missed below
    /// until the reference tells it. Nil for what no client ever reads.
    private func name(_ failure: GatewayFailure) -> String? {
        switch failure {
        case .invalidRequest: "invalidRequest"
        case .malformedHTTP: "malformedHTTP"
        case .headersTooLarge: "headersTooLarge"
        case .bodyTooLarge: "bodyTooLarge"
        case .unsupportedMediaType: "unsupportedMediaType"
        case .unsupportedContentEncoding: "unsupportedContentEncoding"
        case .requestTimeout: "requestTimeout"
        case .pathUnknown: "pathUnknown"
        case .methodNotAllowed: "methodNotAllowed"
        case .keyMissing: "keyMissing"
        case .keyRefused: "keyRefused"
        case .keySuspended: "keySuspended"
        case .endpointForbidden: "endpointForbidden"
        case .keyThrottled: "keyThrottled"
        case .directoryUnavailable: "directoryUnavailable"
        case .modelForbidden: "modelForbidden"
        case .modelUnknown: "modelUnknown"
        case .modelRetired: "modelRetired"
        case .modelUnpriced: "modelUnpriced"
        case .denied: "denied"
        case .meteringUnavailable: "meteringUnavailable"
        case .booksUnavailable: "booksUnavailable"
        case .booksThrottled: "booksThrottled"
        case .idempotencyInProgress: "idempotencyInProgress"
        case .idempotencyEnded: "idempotencyEnded"
        case .idempotencyKeyReused: "idempotencyKeyReused"
        case .draining: "draining"
        case .safeguardUnavailable: "safeguardUnavailable"
        case .noBackend: "noBackend"
        case .backend: "backend"
        case .clientGone: nil
        }
    }

    @Test func `every failure's status, type and code are in the table`() {
        let lines = testReference.errors
        for (failure, status, type, code) in ErrorEnvelopes.failures where name(failure) != nil {
            #expect(
                lines.contains {
                    $0.answer.status == status && $0.answer.type == type && $0.answer.code == code
                }, "\(failure)")
        }
    }

    @Test func `every code that the sources write is in the table, and the reverse`() throws {
        var written: Set<String> = []
        for file in try SourceNames.files("HTTP") where file.contains("ErrorAnswer") {
            written.formUnion(SourceNames.literals(in: file))
        }
        written.formUnion(RequestFault.Code.allCases.map(\.rawValue))
        let codes = Set(testReference.errors.compactMap(\.answer.code))
        let types = Set(testReference.errors.map(\.answer.type))
        #expect(codes.subtracting(written) == [])
        let words: Set<String> = [
            "message", "type", "param", "code", "error", "request_id", "model", "messages",
            "max_tokens", "allow", "true", "false", "ok", "ready", "not_ready", "draining",
            "status", "reasons", "warnings", "close", "connection", "no", "first_request_id",
            "first_end_state", "usage", "prompt_tokens", "completion_tokens", "total_tokens",
        ]
        #expect(written.subtracting(codes).subtracting(types).subtracting(words) == [])
    }
}
