import Curl
import Domain
import TestSupport
import Testing

@testable import Gateway

/// An upstream of Anthropic's format that does what a script says, with a backend in front of it.
enum MessagesUnderTest {
    /// The credential, which must not be seen where it does not belong.
    static let key = "sk-ant-0123456789"

    /// Runs `body` with an upstream that answers by `script`.
    static func with(
        base: String = "", change: (inout AnthropicUpstreamConfiguration) -> Void = { _ in },
        script: @escaping @Sendable (ScriptedUpstream.Request) -> [ScriptedUpstream.Step],
        _ body: (AnthropicUpstream, ScriptedUpstream) async throws -> Void
    ) async throws {
        let server = try ScriptedUpstream(script: script)
        defer { server.stop() }
        let client = try CurlClient(logger: .quiet)
        var configuration = AnthropicUpstreamConfiguration(
            name: "upstream", baseURL: "http://127.0.0.1:\(server.port)\(base)",
            credential: UpstreamCredential(bytes: Array(Self.key.utf8)))
        configuration.transport.addresses = .thisMachine
        change(&configuration)
        try await body(
            AnthropicUpstream(
                configuration, client: client, time: MachineTime(), logger: .quiet), server)
        await client.shutdown()
    }
}
