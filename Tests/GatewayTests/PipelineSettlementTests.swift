import Domain
import Testing

@testable import Gateway

@Suite struct SettlementTable {
    typealias Outcome = SettlementDecision.Outcome

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let outcome: Outcome
        var clientHadBytes = false
        var events: [BackendEvent] = []
        let usage: TokenUsage
        let basis: UsageBasis
        let endState: EndState
        var testDescription: String { name }
    }

    private static let reported = TokenUsage(prompt: 9, cached: 4, completion: 2)
    private static let twoTexts = [BackendEvent.text("a"), .text("b")]
    /// The same, where the prompt's count comes with the first.
    private static var promptFirst: [BackendEvent] {
        var events = twoTexts
        events[0].promptUsage = TokenUsage(prompt: 9, cached: 4, completion: 0)
        return events
    }
    private static var promptBeyond: BackendEvent {
        var event = BackendEvent.text("a")
        event.promptUsage = TokenUsage(prompt: 1_000_000, completion: 0)
        return event
    }
    /// A prompt of 41 bytes is estimated at 11 tokens.
    private static func counted(_ completion: Int64) -> TokenUsage {
        TokenUsage(prompt: 11, completion: completion)
    }

    static let rows: [Row] = [
        Row(
            name: "finished, reported", outcome: .finished, clientHadBytes: true,
            events: twoTexts + [.end(usage: reported)], usage: reported, basis: .reported,
            endState: .finished),
        Row(
            name: "finished without a report", outcome: .finished, clientHadBytes: true,
            events: twoTexts + [.end()], usage: counted(2), basis: .counted, endState: .finished),
        Row(
            name: "finished, only the prompt reported", outcome: .finished, clientHadBytes: true,
            events: promptFirst, usage: TokenUsage(prompt: 9, cached: 4, completion: 2),
            basis: .counted, endState: .finished),
        Row(
            name: "client gone, only the prompt reported", outcome: .clientGone,
            clientHadBytes: true, events: promptFirst,
            usage: TokenUsage(prompt: 9, cached: 4, completion: 2), basis: .counted,
            endState: .clientGone),
        Row(
            name: "failed, a prompt beyond its bound reported", outcome: .backendFailed,
            clientHadBytes: true, events: [promptBeyond],
            usage: TokenUsage(prompt: 100, completion: 1), basis: .counted,
            endState: .backendFailed),
        Row(
            name: "finished without a report, long pieces", outcome: .finished,
            clientHadBytes: true,
            events: [.text("123456789")], usage: counted(3), basis: .counted, endState: .finished),
        Row(
            name: "finished without a report, running count", outcome: .finished,
            events: [.text("123456789", soFar: 7)], usage: counted(7), basis: .counted,
            endState: .finished),
        Row(
            name: "cut at the bound", outcome: .cutAtBound, clientHadBytes: true,
            events: [.text("a", soFar: 99)], usage: counted(8), basis: .counted,
            endState: .cutAtBound),
        Row(
            name: "client gone before anything", outcome: .clientGone, usage: .none, basis: .void,
            endState: .clientGone),
        Row(
            name: "client gone with tokens it never got", outcome: .clientGone, events: twoTexts,
            usage: counted(2), basis: .counted, endState: .clientGone),
        Row(
            name: "client gone in the stream", outcome: .clientGone, clientHadBytes: true,
            events: twoTexts, usage: counted(2), basis: .counted, endState: .clientGone),
        Row(
            name: "client gone after the report", outcome: .clientGone, clientHadBytes: true,
            events: twoTexts + [.end(usage: reported)], usage: reported, basis: .reported,
            endState: .clientGone),
        Row(
            name: "client gone after a partial report", outcome: .clientGone, clientHadBytes: true,
            events: [BackendEvent(usage: TokenUsage(prompt: 9, cached: 4, completion: 0))]
                + twoTexts,
            usage: TokenUsage(prompt: 9, cached: 4, completion: 2), basis: .counted,
            endState: .clientGone),
        Row(
            name: "drained before a byte", outcome: .drained, events: twoTexts, usage: .none,
            basis: .void, endState: .drained),
        Row(
            name: "drained in the stream", outcome: .drained, clientHadBytes: true,
            events: twoTexts,
            usage: counted(2), basis: .counted, endState: .drained),
        Row(
            name: "backend failed before a byte", outcome: .backendFailed, events: twoTexts,
            usage: .none, basis: .void, endState: .failedBeforeFirstByte),
        Row(
            name: "backend failed in the stream", outcome: .backendFailed, clientHadBytes: true,
            events: twoTexts, usage: counted(2), basis: .counted, endState: .backendFailed),
        Row(
            name: "key refused", outcome: .keyRefused, usage: .none, basis: .void,
            endState: .revoked),
        Row(
            name: "not accepted", outcome: .notAccepted, usage: .none, basis: .void,
            endState: .failedBeforeFirstByte),
        Row(
            name: "blocked", outcome: .blocked, usage: .none, basis: .void,
            endState: .failedBeforeFirstByte),
    ]

    @Test(arguments: rows) func `every end is settled as the table says`(_ row: Row) {
        var count = CompletionCount(bound: 8)
        for event in row.events { _ = count.take(event) }
        let record = SettlementDecision(
            outcome: row.outcome, clientHadBytes: row.clientHadBytes, count: count,
            bound: TokenBound(prompt: 100, completion: 8), promptBytes: 41
        ).record
        #expect(record.usage == row.usage)
        #expect(record.basis == row.basis)
        #expect(record.endState == row.endState)
    }

    @Test func `an estimated prompt is at least one token and never above its bound`() {
        func prompt(bytes: Int64, bound: Int64) -> Int64 {
            SettlementDecision(
                outcome: .finished, clientHadBytes: true, count: CompletionCount(bound: 8),
                bound: TokenBound(prompt: bound, completion: 8), promptBytes: bytes
            ).record.usage.prompt
        }
        #expect(prompt(bytes: 0, bound: 64) == 1)
        #expect(prompt(bytes: 4000, bound: 64) == 64)
    }
}

@Suite struct CompletionCounts {
    @Test func `an event beyond the bound does not pass`() {
        var count = CompletionCount(bound: 2)
        let verdicts = ["a", "b", "c"].map { count.take(.text($0)) }
        #expect(verdicts == [true, true, false])
        #expect(count.tokens == 2)
    }

    @Test func `the backend's own running count decides where there is one`() {
        var count = CompletionCount(bound: 8)
        let verdicts = [Int64(4), 8, 9].map { count.take(.text("x", soFar: $0)) }
        #expect(verdicts == [true, true, false])
    }

    @Test func `one event of far too much text does not pass`() {
        var count = CompletionCount(bound: 2)
        let fits = count.take(.text(String(repeating: "x", count: 2 * 64 + 4096)))
        let isBeyond = !count.take(.text("x"))
        #expect(fits)
        #expect(isBeyond)
        #expect(count.isFlood)
    }

    @Test func `events without text are not tokens`() {
        var count = CompletionCount(bound: 1)
        let passed = (0..<5).map { _ in count.take(.text("")) }
        #expect(passed.allSatisfy { $0 })
        #expect(!count.hasText)
    }

    @Test func `a bound near the end of its range does not overflow`() {
        var count = CompletionCount(bound: 1 << 60)
        let passes = count.take(.text("x"))
        #expect(passes)
    }
}
