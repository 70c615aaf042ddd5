import Domain
import Logging
import TestSupport
import Testing

@testable import Gateway

/// What `admin doctor` learns of an upstream.
@Suite struct `Upstream probe` {
    private static func outcomes(_ backend: BackendConfiguration) async throws
        -> [UpstreamProbe.Outcome]
    {
        let probe = try #require(UpstreamProbe(backend, timeout: .seconds(5)))
        return await probe.run(logger: Logger(label: "test"))
    }

    private static func transport() -> UpstreamTransport {
        var transport = UpstreamTransport()
        transport.addresses = AddressPolicy(permitsPrivate: true, exceptions: [])
        return transport
    }

    @Test func `asks for the models with each key, and charges nothing`() async throws {
        let upstream = try ScriptedUpstream { request in
            let isGood = request.header("authorization") == "Bearer sk-good"
            return ScriptedUpstream.Step.json(isGood ? 200 : 401, "{}")
        }
        defer { upstream.stop() }
        var openAI = OpenAIUpstreamConfiguration(
            name: "openai", baseURL: "\(upstream.baseURL)/", credential: nil)
        openAI.credentials = ["sk-good", "sk-old"].compactMap {
            UpstreamCredential(bytes: Array($0.utf8))
        }
        openAI.transport = Self.transport()
        #expect(
            try await Self.outcomes(.openAI(openAI)) == [
                .answered(status: 200, expires: nil), .answered(status: 401, expires: nil),
            ])
        let request = await upstream.request(0)
        #expect(request.method == "GET" && request.path == "/v1/models")
    }

    @Test func `asks Anthropic's way where Anthropic's API is spoken`() async throws {
        let upstream = try ScriptedUpstream { _ in ScriptedUpstream.Step.json(200, "{}") }
        defer { upstream.stop() }
        var anthropic = AnthropicUpstreamConfiguration(
            name: "claude", baseURL: upstream.baseURL,
            credential: UpstreamCredential(bytes: Array("sk-ant".utf8)))
        anthropic.transport = Self.transport()
        #expect(
            try await Self.outcomes(.anthropic(anthropic)) == [.answered(status: 200, expires: nil)]
        )
        let request = await upstream.request(0)
        #expect(request.path == "/v1/models")
        #expect(request.header("x-api-key") == "sk-ant")
        #expect(request.header("anthropic-version") == "2023-06-01")
    }

    @Test func `an upstream that is away, or may not be called, says why without its key`()
        async throws
    {
        // A port that no server of a test is ever given, as that of one that was stopped might be.
        var openAI = OpenAIUpstreamConfiguration(
            name: "openai", baseURL: "http://127.0.0.1:1/v1",
            credential: UpstreamCredential(bytes: Array("sk-secret".utf8)))
        func reason() async throws -> String {
            guard case .failed(let reason)? = try await Self.outcomes(.openAI(openAI)).first else {
                return ""
            }
            return reason
        }
        let forbidden = try await reason()
        #expect(forbidden.contains("allow_private_addresses"), "\(forbidden)")
        openAI.transport = Self.transport()
        let away = try await reason()
        #expect(away.contains("could not be reached") && !away.contains("sk-secret"), "\(away)")
    }

    @Test func `reads both ways in which the end of a certificate is written`() {
        let noon = Timestamp(utc: "2026-11-01T12:34:56Z")
        #expect(UpstreamProbe.time(ofCertificate: "Nov  1 12:34:56 2026 GMT") == noon)
        #expect(UpstreamProbe.time(ofCertificate: "2026-11-01 12:34:56 GMT") == noon)
        for text in [
            "", "Nov  1 12:34:56 2026", "Foo  1 12:34:56 2026 GMT", "Nov 31 1:2:3 2026 GMT",
        ] {
            #expect(UpstreamProbe.time(ofCertificate: text) == nil)
        }
    }
}
