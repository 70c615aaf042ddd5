import Domain
import Testing

@testable import Gateway

@Suite struct `Stored answers` {
    private static let header = "Idempotency-Key: 7c2f\r\n"
    private static let first = RequestID(rawValue: 0x01a1_fd8c_fcc4_7c64_b75e_41fb_2b1d_d31c)

    private static func kept(_ gateway: RunningGateway) -> [StoredAnswer] {
        gateway.claims.calls.elements.compactMap { call in
            if case .keep(let answer) = call { answer } else { nil }
        }
    }

    /// The body of an answer that was sent in one piece or in chunks.
    private static func body(_ answer: String) -> String {
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
        guard parts.count == 2 else { return "" }
        guard answer.header("transfer-encoding") == "chunked" else { return String(parts[1]) }
        var (body, rest) = ("", parts[1])
        while let end = rest.firstRange(of: "\r\n"),
            let size = Int(rest[..<end.lowerBound], radix: 16), size > 0
        {
            let piece = rest[end.upperBound...].utf8.prefix(size)
            body += String(decoding: piece, as: UTF8.self)
            rest = rest[piece.endIndex...].dropFirst(1)
        }
        return body
    }

    @Test(arguments: [RunningGateway.plain, RunningGateway.streaming])
    func `what the client was sent is kept, byte for byte, before it sees the end`(
        _ request: String
    ) async throws {
        let backend = ScriptedBackend(.text(["Hi", " \"you\"\u{2028}"], nil))
        try await withGateway(backend: backend, { $0.storesAnswers = true }) { gateway in
            let answer = try await gateway.post(request, Self.header)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            let kept = try #require(Self.kept(gateway).first)
            #expect(String(decoding: kept.body, as: UTF8.self) == Self.body(answer))
            #expect(!kept.body.isEmpty && kept.contentType == answer.header("content-type"))
            _ = try await gateway.post(request)
            #expect(Self.kept(gateway).count == 1, "without a key nothing is kept")
        }
    }

    @Test(arguments: [RunningGateway.plain, RunningGateway.streaming])
    func `nothing is kept unless the operator says so`(_ request: String) async throws {
        try await withGateway(backend: ScriptedBackend(.text(["Hi"], nil))) { gateway in
            let answer = try await gateway.post(request, Self.header)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(Self.kept(gateway).isEmpty)
        }
    }

    @Test(arguments: [RunningGateway.plain, RunningGateway.streaming])
    func `a large answer and a broken one are not kept`(_ request: String) async throws {
        let half = String(repeating: "x", count: StoredAnswer.mostBytes / 2)
        let large = request.replacing("tiny", with: "large")
            .replacing(#""max_tokens":8"#, with: #""max_tokens":900000"#)
        let broken = FedAnswer([[.text("x")]], ends: false)
        broken.feed(.failure(BackendFailure(kind: .unreachable, detail: "")))
        let backend = ScriptedBackend(.text([half, half], nil), .answer(broken))
        try await withGateway(backend: backend, { $0.storesAnswers = true }) { gateway in
            let answer = try await gateway.post(large, Self.header)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            _ = try await gateway.post(request, Self.header)
            #expect(Self.kept(gateway).isEmpty)
        }
    }

    @Test(arguments: [
        ("application/json", #"{"id":"chatcmpl-1"}"#),
        ("text/event-stream; charset=utf-8", "data: {\"id\":1}\n\ndata: [DONE]\n\n"),
    ])
    func `a retry gets the first answer under the first id, and nothing is reserved or forwarded`(
        _ row: (type: String, body: String)
    ) async throws {
        let claims = ScriptedClaims()
        let end = IdempotentEnd(
            requestID: Self.first, usage: .none, endState: .finished,
            answer: StoredAnswer(contentType: row.type, body: Array(row.body.utf8)))
        claims.answer { $0.verdict = .success(.ended(end)) }
        try await withGateway(claims: claims, backend: ScriptedBackend(.text(["no"], nil))) {
            gateway in
            let answer = try await gateway.post(RunningGateway.plain, Self.header)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(Self.body(answer) == row.body)
            #expect(answer.header("content-type") == row.type)
            #expect(answer.header("idempotent-replayed") == "true")
            #expect(
                answer.header("x-request-id") == "req_01a1fd8c-fcc4-7c64-b75e-41fb2b1dd31c")
            #expect(gateway.ledger.admissions.elements.isEmpty)
            #expect(gateway.backend.calls.elements.isEmpty)
        }
    }
}
