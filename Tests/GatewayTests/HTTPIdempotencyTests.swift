import Domain
import Testing

@testable import Gateway

@Suite struct `Requests with an Idempotency-Key` {
    private static let header = "Idempotency-Key: 7c2f\r\n"
    private static let first = RequestID(rawValue: 0x01a1_fd8c_fcc4_7c64_b75e_41fb_2b1d_d31c)
    private static let end = IdempotentEnd(
        requestID: first, usage: TokenUsage(prompt: 7, completion: 3), endState: .finished,
        answer: nil)

    private static func backend() -> ScriptedBackend {
        ScriptedBackend(.text(["Hi"], TokenUsage(prompt: 5, completion: 1)))
    }

    private static func asked(_ claims: ScriptedClaims) -> [String] {
        claims.calls.elements.map { call in
            switch call {
            case .claim: "claim"
            case .confirm: "confirm"
            case .release: "release"
            case .keep: "keep"
            }
        }
    }

    @Test(arguments: [RunningGateway.plain, RunningGateway.streaming])
    func `a request without one asks nothing, and one with it is claimed and confirmed`(
        _ body: String
    ) async throws {
        try await withGateway(backend: Self.backend()) { gateway in
            let without = try await gateway.post(body)
            #expect(without.hasPrefix("HTTP/1.1 200"))
            #expect(gateway.claims.calls.elements.isEmpty)
            let with = try await gateway.post(body, Self.header)
            #expect(with.hasPrefix("HTTP/1.1 200"))
            #expect(Self.asked(gateway.claims) == ["claim", "confirm"])
            #expect(gateway.ledger.settlements.elements.count == 2)
        }
    }

    @Test func `while the first is open a retry is told to come back, and nothing is reserved`()
        async throws
    {
        let claims = ScriptedClaims()
        claims.answer { $0.verdict = .success(.inProgress(first: Self.first)) }
        try await withGateway(claims: claims, backend: Self.backend()) { gateway in
            let answer = try await gateway.post(RunningGateway.plain, Self.header)
            #expect(answer.hasPrefix("HTTP/1.1 409"))
            #expect(answer.contains(#""code":"idempotency_in_progress""#))
            #expect(
                answer.contains(
                    #""first_request_id":"req_01a1fd8c-fcc4-7c64-b75e-41fb2b1dd31c"}"#))
            #expect(answer.header("retry-after") == "1" || answer.header("retry-after") == "2")
            #expect(answer.header("x-should-retry") == "true")
            #expect(gateway.ledger.admissions.elements.isEmpty)
            #expect(Self.asked(claims) == ["claim"])
        }
    }

    @Test func `after the first a retry is told its id and usage, and not to come back`()
        async throws
    {
        let claims = ScriptedClaims()
        claims.answer { $0.verdict = .success(.ended(Self.end)) }
        try await withGateway(claims: claims, backend: Self.backend()) { gateway in
            let answer = try await gateway.post(RunningGateway.streaming, Self.header)
            #expect(answer.hasPrefix("HTTP/1.1 409"))
            #expect(answer.contains(#""code":"idempotency_replayed""#))
            #expect(answer.contains(#""first_request_id":"req_01a1fd8c-"#))
            #expect(answer.contains(#""first_end_state":"finished""#))
            #expect(
                answer.contains(
                    #""usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#))
            #expect(answer.header("x-should-retry") == "false")
            #expect(answer.header("retry-after") == nil)
            #expect(gateway.ledger.admissions.elements.isEmpty)
        }
    }

    @Test func `a key that stands for another request is 422`() async throws {
        let claims = ScriptedClaims()
        claims.answer { $0.verdict = .success(.otherRequest) }
        try await withGateway(claims: claims, backend: Self.backend()) { gateway in
            let answer = try await gateway.post(RunningGateway.plain, Self.header)
            #expect(answer.hasPrefix("HTTP/1.1 422"))
            #expect(answer.contains(#""code":"idempotency_key_reused""#))
            #expect(!answer.contains("first_request_id"))
        }
    }

    @Test func `without the ledger nothing is claimed and nothing is forwarded`() async throws {
        let claims = ScriptedClaims()
        claims.answer { $0.verdict = .failure(.unavailable) }
        try await withGateway(claims: claims, backend: Self.backend()) { gateway in
            let answer = try await gateway.post(RunningGateway.plain, Self.header)
            #expect(answer.hasPrefix("HTTP/1.1 503"))
            #expect(answer.contains(#""code":"metering_unavailable""#))
            #expect(answer.header("retry-after") != nil)
            #expect(gateway.backend.calls.elements.isEmpty)
        }
    }

    @Test(arguments: [Result<Bool, LedgerFault>.success(false), .failure(.unavailable)])
    func `a claim that does not hold any more ends the request before its first byte, for nothing`(
        _ confirmation: Result<Bool, LedgerFault>
    ) async throws {
        let claims = ScriptedClaims()
        claims.answer { $0.confirmation = confirmation }
        let fed = FedAnswer([[.text("x")]], ends: false)
        try await withGateway(claims: claims, backend: ScriptedBackend(.answer(fed))) { gateway in
            let answer = try await gateway.post(RunningGateway.streaming, Self.header)
            #expect(answer.hasPrefix("HTTP/1.1 503"))
            await fed.cancelled.pass()
            #expect(await gateway.ledger.settlements.wait(for: 1).map(\.basis) == [.void])
            #expect(Self.asked(claims) == ["claim", "confirm", "release"])
        }
    }

    @Test func `a request that was charged nothing gives its key back, one that was keeps it`()
        async throws
    {
        let broken = BackendFailure(kind: .unreachable, detail: "")
        let ledger = HeldLedger()
        try await withGateway(
            ledger: ledger, backend: ScriptedBackend(.failure(broken), .text(["x"], nil)),
            { $0.routing.attempts = 1 }
        ) { gateway in
            let unknown = RunningGateway.plain.replacing("tiny", with: "nobody")
            let missing = try await gateway.post(unknown, Self.header)
            #expect(missing.hasPrefix("HTTP/1.1 404"))
            #expect(Self.asked(gateway.claims) == ["claim", "release"])
            let failed = try await gateway.post(RunningGateway.plain, Self.header)
            #expect(failed.hasPrefix("HTTP/1.1 502"))
            #expect(Self.asked(gateway.claims).suffix(3) == ["claim", "confirm", "release"])
            ledger.answer { $0.admitFault = .unavailable }
            let refused = try await gateway.post(RunningGateway.plain, Self.header)
            #expect(refused.hasPrefix("HTTP/1.1 503"))
            #expect(Self.asked(gateway.claims).suffix(2) == ["claim", "release"])
            ledger.answer {
                $0.admitFault = nil
                $0.settleFault = .unavailable
            }
            // It is charged; only the ledger's word did not come in time.
            let charged = try await gateway.post(RunningGateway.plain, Self.header)
            #expect(charged.hasPrefix("HTTP/1.1 503"))
            #expect(Self.asked(gateway.claims).suffix(2) == ["claim", "confirm"])
        }
    }

    @Test func `a backend that wasted tokens may be tried again under the key, and not without`()
        async throws
    {
        let failure = BackendFailure(kind: .malformed, detail: "")
        try await withGateway(backend: ScriptedBackend(.failure(failure))) { gateway in
            let without = try await gateway.post(RunningGateway.plain)
            #expect(without.header("x-should-retry") == "false")
            let with = try await gateway.post(RunningGateway.plain, Self.header)
            #expect(with.hasPrefix("HTTP/1.1 502") && with.header("x-should-retry") == nil)
        }
    }

    @Test(arguments: [
        ("", "invalid_idempotency_key"), ("a b", "invalid_idempotency_key"),
        ("sch\u{f6}n", "invalid_idempotency_key"),
        (String(repeating: "k", count: 256), "invalid_idempotency_key"),
        ("a\r\nIdempotency-Key: a", "duplicate_header"),
    ])
    func `a key that is none is refused by name, before anything else`(
        _ row: (value: String, code: String)
    ) async throws {
        try await withGateway(backend: Self.backend()) { gateway in
            let answer = try await gateway.post(
                RunningGateway.plain, "Idempotency-Key: \(row.value)\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 400"))
            #expect(answer.contains("\"code\":\"\(row.code)\""))
            #expect(gateway.claims.calls.elements.isEmpty)
        }
    }

    @Test func `requests are the same when their bytes and paths are`() async throws {
        try await withGateway(backend: Self.backend()) { gateway in
            let longest = "Idempotency-Key: \(String(repeating: "k", count: 255))\r\n"
            let spaced = RunningGateway.plain.replacing(",", with: ", ")
            for (body, header) in [
                (RunningGateway.plain, Self.header), (RunningGateway.plain, Self.header),
                (spaced, Self.header), (RunningGateway.plain, longest),
            ] {
                let answer = try await gateway.post(body, header)
                #expect(answer.hasPrefix("HTTP/1.1 200"))
            }
            let elsewhere = RunningGateway.post(
                RunningGateway.plain, "Connection: close\r\n" + Self.header
            ).replacing("/v1/chat", with: "/chat")
            let other = try await gateway.exchange(elsewhere)
            #expect(other.hasPrefix("HTTP/1.1 200"))
            let claims = gateway.claims.calls.elements.filter { $0 != .confirm }
            #expect(claims.count == 5)
            #expect(claims[0] == claims[1])
            #expect(Set(claims.map(\.fingerprint)).count == 3)
            #expect(claims[0].fingerprint == claims[3].fingerprint && claims[0] != claims[3])
        }
    }
}

extension ScriptedClaims.Call {
    /// The fingerprint of a claim.
    var fingerprint: [UInt8]? {
        if case .claim(_, let fingerprint) = self { fingerprint } else { nil }
    }
}
