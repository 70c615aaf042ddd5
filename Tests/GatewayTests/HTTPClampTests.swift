import Domain
import Testing

@testable import Gateway

/// Keys that want a smaller answer rather than none.
@Suite struct Clamping {
    private static var clamping: Principal {
        var principal = Principal.tester
        principal.clampsCompletion = true
        return principal
    }
    private static let one =
        #"{"model":"tiny","messages":[{"role":"user","content":"hi"}],"max_tokens":100}"#
    private static let two =
        #"{"model":"tiny","n":2,"messages":[{"role":"user","content":"hi"}],"max_tokens":100}"#

    @Test(arguments: [185, 137, 100, 88, 87] as [Int64])
    func `a bound that does not fit is lowered to what is left, told, and forwarded`(
        _ room: Int64
    ) async throws {
        let ledger = HeldLedger()
        ledger.answer { $0.room = room }
        try await withGateway(
            ledger: ledger, backend: ScriptedBackend(.text(["x"], nil)), principal: Self.clamping
        ) { gateway in
            let answer = try await gateway.post(Self.one)
            let asked = try #require(ledger.admissions.elements.first)
            let admitted = try #require(ledger.admissions.elements.last)
            let each = room - asked.bound.prompt
            #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
            #expect(answer.header("x-turnpike-max-completion-tokens") == String(each))
            #expect(admitted.bound.completion == each && admitted.bound.total == room)
            #expect(gateway.backend.calls.elements.map(\.completionBound) == [each])
            #expect(ledger.admissions.elements.count == 2)
        }
    }

    @Test(arguments: [(285, 99), (187, 50), (186, 50), (89, 1)] as [(Int64, Int64)])
    func `what is left is shared by the choices that are asked for`(
        _ room: Int64, _ each: Int64
    ) async throws {
        let ledger = HeldLedger()
        ledger.answer { $0.room = room }
        try await withGateway(
            ledger: ledger, backend: ScriptedBackend(.text(["x"], nil)), principal: Self.clamping
        ) { gateway in
            _ = try await gateway.post(Self.two)
            #expect(ledger.admissions.elements.last?.bound.completion == 2 * each)
            #expect(gateway.backend.calls.elements.map(\.completionBound) == [each])
        }
    }

    @Test func `a request that fits is not lowered, and nothing is told`() async throws {
        let ledger = HeldLedger()
        ledger.answer { $0.room = 900 }
        try await withGateway(
            ledger: ledger, backend: ScriptedBackend(.text(["x"], nil)), principal: Self.clamping
        ) { gateway in
            let answer = try await gateway.post(Self.one)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(answer.header("x-turnpike-max-completion-tokens") == nil)
            #expect(gateway.backend.calls.elements.map(\.completionBound) == [100])
        }
    }

    @Test func `no room for one token, and a key that does not want it, are refused`() async throws
    {
        for (principal, room) in [(Self.clamping, Int64(87)), (.tester, 100)] {
            let ledger = HeldLedger()
            ledger.answer { $0.room = room }
            try await withGateway(
                ledger: ledger, backend: ScriptedBackend(.text(["x"], nil)), principal: principal
            ) { gateway in
                let answer = try await gateway.post(Self.two)
                #expect(answer.hasPrefix("HTTP/1.1 429"), "\(answer)")
                #expect(answer.contains(#""code":"insufficient_quota""#))
                #expect(gateway.backend.calls.elements.isEmpty)
            }
        }
    }
}
