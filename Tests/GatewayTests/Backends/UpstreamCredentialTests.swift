import Domain
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(1))) struct SeveralCredentials {
    private typealias Step = ScriptedUpstream.Step
    private static let keys = ["sk-first-0123456789", "sk-second-0123456789"]
    private static let credentials = keys.compactMap {
        UpstreamCredential(bytes: Array($0.utf8))
    }

    /// The key that a request of either format was made with.
    private static func key(of request: ScriptedUpstream.Request) -> String {
        request.header("x-api-key")
            ?? String(request.header("authorization")?.dropFirst("Bearer ".count) ?? "")
    }

    private func with(
        _ format: LiarFormat,
        _ script: @escaping @Sendable (ScriptedUpstream.Request) -> [Step],
        _ body: (any Backend, ScriptedUpstream) async throws -> Void
    ) async throws {
        switch format {
        case .openAI:
            try await UpstreamUnderTest.with(
                change: { $0.credentials = Self.credentials }, script: script, body)
        case .anthropic:
            try await MessagesUnderTest.with(
                change: { $0.credentials = Self.credentials }, script: script, body)
        }
    }

    private static func limited(_ seconds: Int, status: Int = 429) -> [Step] {
        Step.json(status, "{}", headers: [("retry-after", "\(seconds)")])
    }

    @Test(arguments: LiarFormat.allCases)
    func `a limited key's call goes on with the next one, and later calls begin there`(
        _ format: LiarFormat
    ) async throws {
        try await with(format) { request in
            Self.key(of: request) == Self.keys[0] ? Self.limited(9) : format.stream(["a"])
        } _: { backend, server in
            for _ in 0..<3 { _ = try await WholeAnswer(backend.forward(.ask("q"))) }
            #expect(
                server.requests.map(Self.key)
                    == [Self.keys[0], Self.keys[1], Self.keys[1], Self.keys[1]])
        }
    }

    @Test(arguments: LiarFormat.allCases)
    func `when all rest a call is refused without being made`(_ format: LiarFormat) async throws {
        try await with(format) { request in
            Self.limited(Self.key(of: request) == Self.keys[0] ? 90 : 40)
        } _: { backend, server in
            for _ in 0..<3 {
                let told = await failure { _ = try await backend.forward(.ask("q")) }
                guard case .rateLimited(let wait?) = told?.kind else {
                    Issue.record("ended with \(String(describing: told))")
                    return
                }
                // The sooner of the two, less the time that has passed.
                #expect(wait <= .seconds(40) && wait > .seconds(30))
            }
            #expect(server.requests.map(Self.key) == Self.keys)
        }
    }

    @Test(arguments: [401, 402, 403])
    func `a refused key is set aside, and nothing of it is told`(status: Int) async throws {
        try await with(.openAI) { request in
            Self.key(of: request) == Self.keys[0]
                ? Step.json(status, #"{"error":{"message":"\#(Self.keys[0])"}}"#)
                : ScriptedDemoModel.answer(request)
        } _: { backend, server in
            for _ in 0..<2 { _ = try await WholeAnswer(backend.forward(.ask("q"))) }
            #expect(server.requests.map(Self.key) == [Self.keys[0], Self.keys[1], Self.keys[1]])
        }
    }

    /// How upstreams say that a prompt is not to their liking, and one says that a key is not.
    private static let forbidden: [(body: String, isOfPrompt: Bool)] = [
        (
            #"{"error":{"code":403,"message":"m","metadata":{"reasons":["violence"],"#
                + #""flagged_input":"x"}}}"#, true
        ),
        (#"{"error":{"message":"m","code":"content_policy_violation"}}"#, true),
        (#"{"error":{"message":"m","type":"moderation_blocked"}}"#, true),
        (#"{"error":{"message":"m","type":"permission_error"}}"#, false),
        (#"{"error":{"code":403,"message":"m","metadata":{}}}"#, false),
    ]

    @Test(arguments: forbidden)
    func `a prompt that is disliked sets no key aside, and is the client's to mend`(
        _ body: String, _ isOfPrompt: Bool
    ) async throws {
        try await with(.openAI) { request in
            Self.key(of: request) == Self.keys[0]
                ? Step.json(403, body) : ScriptedDemoModel.answer(request)
        } _: { backend, server in
            let told = await failure { _ = try await WholeAnswer(backend.forward(.ask("q"))) }
            #expect(told?.kind == (isOfPrompt ? .invalidRequest : nil))
            #expect(server.requests.count == (isOfPrompt ? 1 : 2))
            _ = await failure { _ = try await WholeAnswer(backend.forward(.ask("q"))) }
            #expect(server.requests.last.map(Self.key) == Self.keys[isOfPrompt ? 0 : 1])
        }
    }

    @Test(arguments: [500, 503, 400, 529, 302])
    func `what is no fault of a key is not tried with another`(status: Int) async throws {
        try await with(.openAI) { _ in
            Self.limited(5, status: status)
        } _: { backend, server in
            _ = await failure { _ = try await backend.forward(.ask("q")) }
            _ = await failure { _ = try await backend.forward(.ask("q")) }
            #expect(server.requests.map(Self.key) == [Self.keys[0], Self.keys[0]])
        }
    }

    @Test func `an answer that has begun is not tried again, whatever is inside`() async throws {
        try await with(.openAI) { _ in
            [.streamHead, .event(#"{"error":{"type":"rate_limit_error"}}"#), .end]
        } _: { backend, server in
            _ = await failure { _ = try await WholeAnswer(backend.forward(.ask("q"))) }
            #expect(server.requests.count == 1)
        }
    }

    @Test func `an upstream without a key is asked anew each time`() async throws {
        try await UpstreamUnderTest.with(
            change: { $0.credentials = [] }, script: { _ in Self.limited(60) }
        ) { backend, server in
            for _ in 0..<2 {
                let told = await failure { _ = try await backend.forward(.ask("q")) }
                #expect(told?.kind == .rateLimited(retryAfter: .seconds(60)))
            }
            #expect(server.requests.count == 2)
            #expect(server.requests.allSatisfy { $0.header("authorization") == nil })
        }
    }

    @Test func `a refused key is logged once, loudly, by its place`() async throws {
        let lines = Mutex<[String]>([])
        let credentials = UpstreamCredentials(
            Self.credentials, upstream: "remote", time: MachineTime(),
            logger: Logger(label: "t") { _ in
                LinesHandler { line in lines.withLock { $0.append(line) } }
            })
        for _ in 0..<3 {
            _ = await failure {
                _ = try await credentials.begin(.ask("q")) { _ throws(UpstreamRefusal) -> Int in
                    throw UpstreamRefusal(
                        failure: BackendFailure(kind: .unreachable, detail: "no"),
                        verdict: .refused)
                }
            }
        }
        let told = lines.withLock { $0 }
        #expect(told.count == 2)
        #expect(
            told.first == "error: Upstream remote refuses credential 1 of 2: set aside for 600 s")
        #expect(!told.joined().contains("sk-"))
    }
}

/// Gives each line to a test.
private struct LinesHandler: LogHandler {
    let take: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(take: @escaping @Sendable (String) -> Void) { self.take = take }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { take("\(event.level): \(event.message)") }
}
