import Curl
import Domain
import TestSupport
import Testing

@testable import Gateway

/// The documented outcome of each lie (README, "Upstreams that break their word"): for streams and
/// whole answers, of both kinds of upstream, from the socket to the settlement.
@Suite(.timeLimit(.minutes(1))) struct Liars {
    private static func makeBackend(
        _ format: LiarFormat, _ server: ScriptedUpstream, _ client: CurlClient
    ) -> any Backend {
        let time = MachineTime()
        switch format {
        case .openAI:
            var configuration = OpenAIUpstreamConfiguration(
                name: "liar", baseURL: server.baseURL, credential: nil)
            confine(&configuration.transport, &configuration.limits)
            return OpenAIUpstream(configuration, client: client, time: time, logger: .quiet)
        case .anthropic:
            var configuration = AnthropicUpstreamConfiguration(
                name: "liar", baseURL: server.baseURL, credential: nil)
            confine(&configuration.transport, &configuration.limits)
            return AnthropicUpstream(configuration, client: client, time: time, logger: .quiet)
        }
    }

    /// This machine's addresses, and limits that a test can wait for.
    private static func confine(
        _ transport: inout UpstreamTransport, _ limits: inout UpstreamLimits
    ) {
        transport.addresses = .thisMachine
        limits = UpstreamLimits(
            firstByteTimeout: .seconds(2), idleTimeout: .milliseconds(300),
            maximumResponseBytes: 100_000)
    }

    /// What a client gets from a gateway whose upstream answers so, and the only settlement.
    private func told(
        _ format: LiarFormat, _ steps: [ScriptedUpstream.Step], _ request: String
    ) async throws -> (answer: String, settlement: Settlement, charge: Charge, bound: TokenBound) {
        let server = try ScriptedUpstream { _ in steps }
        defer { server.stop() }
        let client = try CurlClient(logger: .quiet)
        let backend = ScriptedBackend(.other(Self.makeBackend(format, server, client)))
        let ledger = HeldLedger()
        var answer = ""
        // One call: what a lie leads to, and not what is tried after it.
        try await withGateway(ledger: ledger, backend: backend, { $0.routing.attempts = 1 }) {
            gateway in
            answer = try await gateway.post(request)
        }
        await client.shutdown()
        #expect(server.requests.count == 1)
        let bound = try #require(ledger.admissions.elements.first).bound
        let settlement = try #require(ledger.settlements.elements.first)
        #expect(ledger.settlements.elements.count == 1)
        let charge = Charge(settlement, bound: bound, price: nil)
        return (answer, settlement, charge, bound)
    }

    private func check(
        _ outcome: Lie.Outcome, _ format: LiarFormat, _ steps: [ScriptedUpstream.Step],
        streams: Bool
    ) async throws {
        let told = try await told(
            format, steps, streams ? RunningGateway.streaming : RunningGateway.plain)
        let status = told.answer.split(separator: " ").dropFirst().first.map(String.init)
        let hasEnd = told.answer.contains("[DONE]")
        let hasError = told.answer.contains("data: {\"error\":{")
        #expect(!told.answer.contains("leak"))
        #expect(told.charge.tokens <= told.bound.total)
        switch outcome {
        case .finished(let basis):
            #expect(status == "200" && hasEnd == streams && !hasError)
            #expect(told.answer.contains(#""model":"tiny""#))
            #expect(told.settlement.endState == .finished && told.settlement.basis == basis)
        case .cut:
            #expect(status == "200" && hasEnd == streams && !hasError)
            #expect(told.answer.contains(#""finish_reason":"length""#))
            #expect(told.settlement.endState == .cutAtBound)
            #expect(told.settlement.basis == .counted && told.settlement.usage.completion <= 8)
        case .broken:
            #expect(status == "200" && hasError && !hasEnd)
            #expect(told.settlement.endState == .backendFailed)
            #expect(told.settlement.basis == .counted && told.settlement.usage.completion <= 8)
        case .refused(let wanted):
            #expect(status == "\(wanted)" && !hasEnd, "\(told.answer.prefix(300))")
            #expect(told.settlement.basis == .void && told.charge.tokens == 0)
        }
    }

    @Test(arguments: Lie.all, LiarFormat.allCases)
    func `a stream has its documented outcome`(_ lie: Lie, _ format: LiarFormat) async throws {
        try await check(lie.streamed, format, lie.stream(format), streams: true)
    }

    @Test(arguments: Lie.all)
    func `a stream that is collected for a plain answer has its documented outcome`(
        _ lie: Lie
    ) async throws {
        try await check(lie.collected, .anthropic, lie.stream(.anthropic), streams: false)
    }

    @Test(arguments: Lie.all, LiarFormat.allCases)
    func `a whole answer has its documented outcome`(
        _ lie: Lie, _ format: LiarFormat
    ) async throws {
        try await check(lie.whole, format, lie.body(format), streams: false)
    }

    @Test(arguments: LiarFormat.allCases)
    func `an inflated usage is charged at the bound and the rest is kept as overage`(
        _ format: LiarFormat
    ) async throws {
        let told = try await told(
            format, format.stream(["a"], told: .init(completion: "5000000000")),
            RunningGateway.streaming)
        #expect(told.charge.tokens == told.bound.total)
        #expect(told.charge.overage == 5_000_000_007 - told.bound.total)
    }

    @Test(arguments: LiarFormat.allCases, [true, false])
    func `no header of an upstream reaches a client`(
        _ format: LiarFormat, streams: Bool
    ) async throws {
        let fields = [
            ("set-cookie", "leak=1"), ("server", "leak"), ("x-request-id", "leak"),
            ("access-control-allow-origin", "leak"), ("x-ratelimit-remaining-tokens", "leak"),
            ("retry-after", "77777"), ("openai-organization", "leak"),
        ]
        let type = streams ? "text/event-stream" : "application/json"
        let head = ScriptedUpstream.Step.head(200, [("content-type", type)] + fields)
        let steps =
            streams
            ? [head] + format.stream(["a"]).dropFirst()
            : [head, .body(Array(format.whole("a").utf8)), .end]
        let told = try await told(
            format, steps, streams ? RunningGateway.streaming : RunningGateway.plain)
        #expect(told.answer.hasPrefix("HTTP/1.1 200 "))
        #expect(!told.answer.contains("leak") && !told.answer.contains("77777"))
        #expect(!told.answer.lowercased().contains("set-cookie"))
    }
}
