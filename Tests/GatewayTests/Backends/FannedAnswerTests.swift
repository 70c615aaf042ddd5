import Domain
import Synchronization
import Testing

@testable import Gateway

@Suite struct FannedAnswers {
    /// A backend with room for so many calls at a time, each of which keeps its room.
    private final class Room: Sendable {
        private let free: Mutex<Int>
        let calls = Journal<BackendCall>()
        private let refusal: BackendFailure?
        private let answer: @Sendable (BackendCall) -> FedAnswer

        init(
            _ room: Int, refusing refusal: BackendFailure? = nil,
            _ answer: @escaping @Sendable (BackendCall) -> FedAnswer
        ) {
            free = Mutex(room)
            self.refusal = refusal
            self.answer = answer
        }

        func open(
            _ call: BackendCall, _ waits: Bool
        ) throws(BackendFailure) -> (any BackendAnswer)? {
            let hasRoom = free.withLock { free in
                free -= 1
                return free >= 0
            }
            guard waits || hasRoom else { return nil }
            if !waits, let refusal { throw refusal }
            calls.append(call)
            return answer(call)
        }
    }

    private func call(_ choices: Int) -> BackendCall {
        .ask("hi", bound: 9) {
            $0.choices = choices
            $0.seed = .max
        }
    }

    private static func text(_ call: BackendCall) -> FedAnswer {
        let seed = call.request.seed ?? 0
        return FedAnswer(
            [[.text("\(seed)", soFar: 2), .end(usage: TokenUsage(prompt: 5, completion: 2))]],
            ends: true)
    }

    private func read(_ answer: FannedAnswer) async throws -> [BackendEvent] {
        var events: [BackendEvent] = []
        while let batch = try await answer.next() { events += batch }
        return events
    }

    @Test func `each choice is a call of its own, with a seed and a bound of its own`()
        async throws
    {
        let room = Room(8, Self.text)
        let answer = try await FannedAnswer.begin(call(3)) { call, waits throws(BackendFailure) in
            try room.open(call, waits)
        }
        let events = try await read(answer)
        let calls = room.calls.elements
        #expect(calls.allSatisfy { $0.request.choices == 1 && $0.completionBound == 9 })
        #expect(calls.compactMap(\.request.seed).sorted() == [.min, .min + 1, .max])
        let texts = Dictionary(
            events.flatMap(\.deltas).compactMap { delta in delta.content.map { (delta.index, $0) } }
        ) { _, later in later }
        #expect(texts == [0: "\(Int64.max)", 1: "\(Int64.min)", 2: "\(Int64.min + 1)"])
        #expect(events.compactMap(\.usage) == [TokenUsage(prompt: 5, completion: 6)])
        #expect(events.compactMap(\.completionTokensSoFar).last == 6)
    }

    @Test func `without room the choices come one after another, and none waits beside another`()
        async throws
    {
        let room = Room(1, Self.text)
        let answer = try await FannedAnswer.begin(call(3)) { call, waits throws(BackendFailure) in
            try room.open(call, waits)
        }
        let events = try await read(answer)
        #expect(events.flatMap(\.deltas).map(\.index) == [0, 0, 1, 1, 2, 2])
        #expect(room.calls.elements.count == 3)
    }

    @Test func `a failure to begin one choice fails the answer`() async throws {
        let room = Room(8, refusing: BackendFailure(kind: .unreachable, detail: "x"), Self.text)
        let answer = try await FannedAnswer.begin(call(2)) { call, waits throws(BackendFailure) in
            try room.open(call, waits)
        }
        let failure = await failure { _ = try await read(answer) }
        #expect(failure?.kind == .unreachable)
    }

    @Test func `cancelling ends every call under way, and one that begins later`() async throws {
        let begun = Journal<FedAnswer>()
        let answer = try await FannedAnswer.begin(call(3)) { call, waits throws(BackendFailure) in
            let fed = FedAnswer([[.text("x")]], ends: false)
            begun.append(fed)
            return fed
        }
        _ = try await answer.next()
        let opened = begun.elements
        #expect(opened.count == 3)
        answer.cancel()
        for fed in opened { await fed.cancelled.pass() }
        let failure = await failure { while try await answer.next() != nil {} }
        #expect(failure?.kind == .cancelled)
    }

    @Test func `room is taken and comes back with the call`() {
        let room = CallRoom(1)
        let first = room.take()
        let second = room.take()
        #expect(first != nil && second == nil)
        first?.release()
        let third = room.take()
        #expect(third != nil)
    }

    @Test func `usage of parts is added, with the prompt once and its cache at the least`() {
        var tally = FannedTally(choices: 2)
        let first = BackendEvent(
            usage: TokenUsage(prompt: 9, cached: 8, completion: 3, reasoning: 1))
        let second = BackendEvent(
            usage: TokenUsage(prompt: 9, cached: 2, cacheWrite: 7, completion: 4, reasoning: 2))
        let part = tally.take(first, of: 1).usage
        #expect(part == nil)
        let whole = tally.take(second, of: 0).usage
        #expect(
            whole
                == TokenUsage(prompt: 9, cached: 2, cacheWrite: 7, completion: 7, reasoning: 3))
    }
}
