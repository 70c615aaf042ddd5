import Domain
import Testing

@testable import Gateway

@Suite struct HostileInput {
    @Test func `garbage behind a good request is answered after it`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let answer = try await gateway.exchange(
                RunningGateway.post(RunningGateway.plain) + "NONSENSE\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
            #expect(answer.components(of: "HTTP/1.1 400 Bad Request") == 1)
        }
    }

    @Test func `a body that comes in many small pieces is put together`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let client = try await RawClient.connect(gateway.port)
            let text = String(repeating: "wide ", count: 40_000)
            let body = #"{"model":"large","messages":"\#(text)"}"#
            let request = Array(RunningGateway.post(body, "Connection: close\r\n").utf8)
            for start in stride(from: 0, to: request.count, by: 1021) {
                let piece = request[start..<min(start + 1021, request.count)]
                client.send(String(decoding: piece, as: UTF8.self))
            }
            let answer = await client.rest()
            #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
            let call = try #require(gateway.backend.calls.elements.first)
            #expect(call.request.messages[0].content == .text(text))
        }
    }

    @Test func `broken bytes of any kind never stop the gateway`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let request = Array(RunningGateway.post(RunningGateway.streaming).utf8)
            var random = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
            for _ in 0..<300 {
                var broken = request
                for _ in 0..<random.next(below: 4) + 1 {
                    let position = random.next(below: broken.count)
                    switch random.next(below: 3) {
                    case 0: broken[position] = UInt8(random.next(below: 256))
                    case 1: broken.remove(at: position)
                    default: broken.insert(UInt8(random.next(below: 256)), at: position)
                    }
                }
                let client = try await RawClient.connect(gateway.port)
                client.send(bytes: broken)
                // The gateway may have closed the connection already.
                try? await client.finish()
                _ = await client.rest()
            }
            let next = try await gateway.post(RunningGateway.plain)
            #expect(next.hasPrefix("HTTP/1.1 200"))
            let admitted = gateway.ledger.admissions.elements.count
            let settled = await gateway.ledger.settlements.wait(for: admitted).count
            #expect(settled == admitted)
        }
    }

    private struct Xorshift {
        var state: UInt64

        mutating func next(below limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(limit))
        }
    }
}
