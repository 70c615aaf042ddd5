import Domain
import TestSupport
import Testing

@testable import Gateway

@Suite struct UpstreamAddresses {
    private func ending(
        _ change: (inout OpenAIUpstreamConfiguration) -> Void
    ) async throws -> (failure: BackendFailure?, connections: Int) {
        var told: (BackendFailure?, Int) = (nil, 0)
        try await UpstreamUnderTest.with(change: change, script: ScriptedDemoModel.answer) {
            backend, server in
            let failure = await failure {
                _ = try await WholeAnswer(backend.forward(.ask("q")))
            }
            told = (failure, server.connectionCount)
        }
        return told
    }

    @Test func `an upstream is at a public address unless it was said otherwise`() async throws {
        let told = try await ending { $0.transport.addresses = .publicOnly }
        #expect(told.failure?.kind == .unreachable)
        #expect(told.failure?.detail.contains("127.0.0.1 is not permitted") == true)
        #expect(told.failure?.detail.contains("allow_addresses") == true)
        #expect(told.connections == 0)
    }

    @Test func `a name that leads to this machine is no way around that`() async throws {
        let told = try await ending {
            $0.transport.addresses = .publicOnly
            $0.baseURL = $0.baseURL.replacing("127.0.0.1", with: "localhost")
        }
        #expect(told.failure?.kind == .unreachable)
        #expect(told.failure?.detail.contains("forbiddenAddress") == true)
        #expect(told.connections == 0)
    }

    @Test(arguments: [("127.0.0.1/32", true), ("127.0.0.0/8", true), ("127.0.0.2", false)])
    func `an exception opens its addresses and no others`(
        range: String, opens: Bool
    ) async throws {
        let exception = try #require(AddressRange(range))
        let told = try await ending {
            $0.transport.addresses = AddressPolicy(permitsPrivate: false, exceptions: [exception])
        }
        #expect((told.failure == nil) == opens)
        #expect(told.connections == (opens ? 1 : 0))
    }

    @Test func `an upstream of the other format is held to the same`() async throws {
        try await MessagesUnderTest.with(
            change: { $0.transport.addresses = .publicOnly }, script: ScriptedMessagesModel.answer
        ) { backend, server in
            let told = await failure { _ = try await backend.forward(.ask("q")) }
            #expect(told?.detail.contains("127.0.0.1 is not permitted") == true)
            #expect(server.connectionCount == 0)
        }
    }
}
