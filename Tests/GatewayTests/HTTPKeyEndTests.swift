import Domain
import Testing

@testable import Gateway

/// What becomes of requests that run when their key is revoked or suspended.
@Suite struct KeyEnds {
    static let ends: [(KeyEnd, String)] = [
        (.revoked, "invalid_api_key"), (.suspended(.key), "key_suspended"),
        (.suspended(.team), "team_suspended"),
        (.suspended(.organization), "organization_suspended"),
    ]

    @Test(arguments: ends)
    func `a running stream is cut with its reason, pays for what it had, and the connection closes`(
        _ end: KeyEnd, _ code: String
    ) async throws {
        let fed = FedAnswer([[.text("abcdefgh")]], ends: false)
        try await withGateway(backend: ScriptedBackend(.answer(fed))) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.streaming))
            _ = await client.received("abcdefgh")
            gateway.keys.end(Principal.tester.key, because: end)
            await fed.cancelled.pass()
            let all = await client.rest()
            #expect(all.contains("data: {\"error\":{") && all.contains("\"code\":\"\(code)\""))
            #expect(!all.contains("[DONE]"))
            let settlements = await gateway.ledger.settlements.wait(for: 1)
            #expect(settlements.map(\.endState) == [.revoked])
            #expect(settlements.map(\.basis) == [.counted])
            #expect(settlements.map(\.usage) == [TokenUsage(prompt: 2, completion: 2)])
            #expect(gateway.keys.count == 0)
        }
    }

    @Test(arguments: zip(ends, ["HTTP/1.1 401", "HTTP/1.1 403", "HTTP/1.1 403", "HTTP/1.1 403"]))
    func `an answer that has not begun is its status, and free`(
        _ end: (KeyEnd, String), _ status: String
    ) async throws {
        for body in [RunningGateway.plain, RunningGateway.streaming] {
            let cancelled = Door(isOpen: false)
            try await withGateway(backend: ScriptedBackend(.silence(cancelled))) { gateway in
                let client = try await RawClient.connect(gateway.port)
                client.send(RunningGateway.post(body))
                _ = await gateway.backend.calls.wait(for: 1)
                gateway.keys.end(Principal.tester.key, because: end.0)
                await cancelled.pass()
                let answer = await client.rest()
                #expect(answer.hasPrefix(status), "\(answer)")
                #expect(answer.contains("\"code\":\"\(end.1)\""))
                let settlements = await gateway.ledger.settlements.wait(for: 1)
                #expect(settlements.map(\.basis) == [.void])
                #expect(settlements.map(\.endState) == [.revoked])
            }
        }
    }

    @Test func `a key that may not call a path is told so by name, and calls the others`()
        async throws
    {
        var confined = Principal.tester
        confined.allowedScopes = [.models]
        try await withGateway(
            backend: ScriptedBackend(.text(["x"], nil)), principal: confined
        ) { gateway in
            let refusal = try await gateway.post(RunningGateway.plain)
            #expect(refusal.hasPrefix("HTTP/1.1 403"))
            #expect(refusal.contains(#""code":"endpoint_not_allowed""#))
            #expect(gateway.backend.calls.elements.isEmpty)
            let list = try await gateway.exchange(
                "GET /v1/models HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer "
                    + "\(OneKey.secret)\r\nConnection: close\r\n\r\n")
            #expect(list.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func `another key's stream goes on, and so does one that came after the end`()
        async throws
    {
        let fed = FedAnswer([[.text("abc")]], ends: false)
        try await withGateway(backend: ScriptedBackend(.answer(fed))) { gateway in
            gateway.keys.end(Principal.tester.key, because: .revoked)
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.streaming))
            _ = await client.received("abc")
            gateway.keys.end(KeyID(rawValue: 99), because: .revoked)
            fed.feed(.end())
            fed.feed(.success(nil))
            #expect(await client.received("[DONE]").contains("[DONE]"))
            try await client.close()
        }
    }

    @Test func `a request that was proven before the end and noted after it is refused`() throws {
        let time = MachineTime()
        let keys = RunningKeys(time: time)
        let key = KeyID(rawValue: 7)
        let since = time.uptime
        keys.end(key, because: .suspended(.team))
        #expect(throws: GatewayFailure.keySuspended(.team)) {
            try keys.begin(RequestID(rawValue: 1), of: key, since: since) { _ in }
        }
        #expect(keys.count == 0)
        let later = Uptime(microseconds: time.uptime.microseconds + 1)
        try keys.begin(RequestID(rawValue: 1), of: key, since: later) { _ in }
        #expect(keys.count == 1)
        keys.finish(RequestID(rawValue: 1), of: key)
        #expect(keys.count == 0)
    }
}
