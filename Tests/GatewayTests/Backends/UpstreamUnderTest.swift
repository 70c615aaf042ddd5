import Curl
import Domain
import TestSupport
import Testing

@testable import Gateway

/// An upstream that does what a script says, with a backend in front of it.
enum UpstreamUnderTest {
    /// The credential, which must not be seen where it does not belong.
    static let key = "sk-upstream-0123456789"

    /// Runs `body` with an upstream that answers by `script`.
    static func with(
        change: (inout OpenAIUpstreamConfiguration) -> Void = { _ in },
        script: @escaping @Sendable (ScriptedUpstream.Request) -> [ScriptedUpstream.Step],
        _ body: (OpenAIUpstream, ScriptedUpstream) async throws -> Void
    ) async throws {
        let server = try ScriptedUpstream(script: script)
        defer { server.stop() }
        let client = try CurlClient(logger: .quiet)
        var configuration = OpenAIUpstreamConfiguration(
            name: "upstream", baseURL: server.baseURL + "/",
            credential: UpstreamCredential(bytes: Array(key.utf8)))
        configuration.transport.addresses = .thisMachine
        change(&configuration)
        try await body(
            OpenAIUpstream(
                configuration, client: client, time: MachineTime(), logger: .quiet), server)
        await client.shutdown()
    }

    /// What a call ends with, read to its end, and what was understood before.
    static func outcome(
        streams: Bool = true, change: (inout OpenAIUpstreamConfiguration) -> Void = { _ in },
        _ steps: [ScriptedUpstream.Step]
    ) async throws -> (text: String, failure: BackendFailure?) {
        var text = ""
        var ending: BackendFailure?
        try await with(change: change, script: { _ in steps }) { backend, _ in
            ending = await failure {
                let answer = try await backend.forward(.ask("q", streams: streams))
                while let events = try await answer.next() {
                    for delta in events.flatMap(\.deltas) { text += delta.content ?? "" }
                }
            }
        }
        #expect(ending?.detail.contains(key) != true)
        return (text, ending)
    }
}

extension AddressPolicy {
    /// What tests' servers need.
    static let thisMachine = AddressPolicy(permitsPrivate: true, exceptions: [])
}
