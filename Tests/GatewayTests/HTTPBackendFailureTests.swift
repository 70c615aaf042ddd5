import Domain
import Testing

@testable import Gateway

@Suite struct BackendFailures {
    static let kinds: [(BackendFailure.Kind, Int)] = [
        (.unreachable, 502), (.malformed, 502), (.timedOut, 504),
        (.notReady(retryAfter: .seconds(2)), 503), (.rateLimited(retryAfter: nil), 503),
        (.busy(retryAfter: .seconds(2)), 503),
        (.contextExceeded(promptTokens: 2000, contextTokens: 1024), 400), (.invalidRequest, 400),
    ]

    @Test(arguments: kinds, [RunningGateway.plain, RunningGateway.streaming])
    func `a backend that fails at first is a proper status and costs nothing`(
        _ row: (BackendFailure.Kind, Int), _ body: String
    ) async throws {
        let failure = BackendFailure(kind: row.0, detail: "10.0.0.1 said no")
        try await withGateway(backend: ScriptedBackend(.failure(failure))) { gateway in
            let answer = try await gateway.post(body)
            #expect(answer.hasPrefix("HTTP/1.1 \(row.1) "))
            #expect(!answer.contains("10.0.0.1"))
            #expect(gateway.ledger.settlements.elements.map(\.basis) == [.void])
            #expect(gateway.ledger.settlements.elements.map(\.endState) == [.failedBeforeFirstByte])
        }
    }

    @Test func `a backend that fails before its first event is a proper status in a stream too`()
        async throws
    {
        let fed = FedAnswer([], ends: false)
        fed.feed(.failure(BackendFailure(kind: .timedOut, detail: "")))
        try await withGateway(backend: ScriptedBackend(.answer(fed))) { gateway in
            let answer1 = try await gateway.post(RunningGateway.streaming)
            #expect(answer1.hasPrefix("HTTP/1.1 504"))
        }
    }

    @Test func `a backend that fails in a stream is an error event without the end`() async throws {
        let fed = FedAnswer([[.text("abc")]], ends: false)
        try await withGateway(backend: ScriptedBackend(.answer(fed))) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.streaming))
            _ = await client.received(#""content":"abc""#)
            fed.feed(.failure(BackendFailure(kind: .unreachable, detail: "10.0.0.1 is gone")))
            let all = await client.rest()
            #expect(all.contains("data: {\"error\":{"))
            #expect(all.contains(#""code":"upstream_unavailable""#))
            #expect(!all.contains("[DONE]") && !all.contains("10.0.0.1"))
            #expect(all.hasSuffix("0\r\n\r\n"))
            let settlements = gateway.ledger.settlements.elements
            #expect(settlements.map(\.basis) == [.counted])
            #expect(settlements.map(\.endState) == [.backendFailed])
            #expect(settlements.map(\.usage.completion) == [1])
        }
    }

    @Test(
        arguments: [
            [[BackendEvent.text("x")]], [[]], [[.end(), .text("more")]], [],
        ] as [[[BackendEvent]]])
    func `an answer without a proper end is not passed off as one`(_ batches: [[BackendEvent]])
        async throws
    {
        let (plain, stream) = (FedAnswer(batches, ends: true), FedAnswer(batches, ends: true))
        let isComplete = batches.first?.first?.deltas.first?.finishReason != nil
        try await withGateway(backend: ScriptedBackend(.answer(plain), .answer(stream))) {
            gateway in
            if !isComplete {
                let answer2 = try await gateway.post(RunningGateway.plain)
                #expect(answer2.hasPrefix("HTTP/1.1 502"))
            } else {
                _ = try await gateway.post(RunningGateway.plain)
            }
            let answer = try await gateway.post(RunningGateway.streaming)
            #expect(answer.contains("data: {\"error\":{") || answer.hasPrefix("HTTP/1.1 502"))
            #expect(!answer.contains("[DONE]"))
        }
    }

    @Test func `a backend whose last bytes are lost after every choice ended has answered`()
        async throws
    {
        let fed = FedAnswer([[.text("x"), .end()]], ends: false)
        fed.feed(.failure(BackendFailure(kind: .timedOut, detail: "")))
        try await withGateway(backend: ScriptedBackend(.answer(fed))) { gateway in
            let answer3 = try await gateway.post(RunningGateway.streaming)
            #expect(answer3.contains("[DONE]"))
            #expect(gateway.ledger.settlements.elements.map(\.basis) == [.counted])
            #expect(gateway.ledger.settlements.elements.map(\.endState) == [.finished])
        }
    }

    @Test func `a stream beyond its bound is cut, cancelled and ends with length`() async throws {
        let texts = (0..<12).map { BackendEvent.text("t\($0) ") }
        let fed = FedAnswer([texts], ends: false)
        try await withGateway(backend: ScriptedBackend(.answer(fed))) { gateway in
            let answer = try await gateway.post(RunningGateway.streaming)
            await fed.cancelled.pass()
            #expect(answer.contains(#""content":"t7 ""#))
            #expect(!answer.contains(#""content":"t8 ""#))
            #expect(answer.contains(#""finish_reason":"length""#))
            #expect(answer.contains("[DONE]"))
            let settlements = gateway.ledger.settlements.elements
            #expect(settlements.map(\.basis) == [.counted])
            #expect(settlements.map(\.endState) == [.cutAtBound])
            #expect(settlements.map(\.usage.completion) == [8])
        }
    }

    @Test func `a whole answer that floods is 502 and costs nothing`() async throws {
        let flood = String(repeating: "x", count: 100_000)
        try await withGateway(backend: ScriptedBackend(.text([flood], nil))) { gateway in
            let answer4 = try await gateway.post(RunningGateway.plain)
            #expect(answer4.hasPrefix("HTTP/1.1 502"))
            #expect(gateway.ledger.settlements.elements.map(\.basis) == [.void])
        }
    }

    @Test func `a backend that takes no requests is told before anything is reserved`() async throws
    {
        let backend = ScriptedBackend(.text(["x"], nil))
        backend.becomeUnavailable(
            BackendFailure(kind: .notReady(retryAfter: .seconds(3)), detail: "loading"))
        try await withGateway(backend: backend) { gateway in
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.hasPrefix("HTTP/1.1 503"))
            #expect(answer.contains(#""code":"model_loading""#))
            #expect(gateway.ledger.admissions.elements.isEmpty)
        }
    }

    @Test func `a parameter the backend cannot honour is refused by name`() async throws {
        let backend = ScriptedBackend(.text(["x"], nil), unsupported: "min_p")
        try await withGateway(backend: backend) { gateway in
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.contains(#""param":"min_p","code":"unsupported_parameter""#))
            #expect(gateway.ledger.admissions.elements.isEmpty)
        }
    }

    @Test func `a parameter that the backend itself refuses is told by its name, at no charge`()
        async throws
    {
        var failure = BackendFailure(kind: .invalidRequest, detail: "secret")
        failure.fault = RequestFault("It says so.", parameter: "top_p", code: .unsupportedParameter)
        try await withGateway(backend: ScriptedBackend(.failure(failure))) { gateway in
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.hasPrefix("HTTP/1.1 400"))
            #expect(answer.contains(#""param":"top_p","code":"unsupported_parameter""#))
            #expect(gateway.ledger.settlements.elements.map(\.basis) == [.void])
        }
    }

    /// Both backends as the gateway finds them, by what the first cannot honour, whether it takes
    /// requests, and the same of the second; and what the answer holds.
    @Test(
        arguments: [
            ("min_p", false, "top_k", true, #""param":"min_p","code":"unsupported_parameter""#),
            ("min_p", false, "top_k", false, #""param":"min_p","code":"unsupported_parameter""#),
            ("min_p", true, nil, false, #""code":"model_loading""#),
            (nil, false, "min_p", true, #""code":"model_loading""#),
            ("min_p", true, nil, true, #""content":"y""#),
        ] as [(String?, Bool, String?, Bool, String)])
    func `what a client has to mend does not depend on which backend is well`(
        _ first: String?, _ isFirstWell: Bool, _ second: String?, _ isSecondWell: Bool,
        _ wanted: String
    ) async throws {
        let local = ScriptedBackend(.text(["x"], nil), unsupported: first)
        let spare = ScriptedBackend(.text(["y"], nil), unsupported: second, name: "spare")
        let loading = BackendFailure(kind: .notReady(retryAfter: .seconds(3)), detail: "loading")
        if !isFirstWell { local.becomeUnavailable(loading) }
        if !isSecondWell { spare.becomeUnavailable(loading) }
        try await withTwoBackends(local, spare) { gateway in
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.contains(wanted), "\(answer)")
        }
    }
}
