import Domain
import Foundation
import TestSupport
import Testing

@testable import Gateway

/// The slots with the tasks that wait for them, and the real engine behind them.
@Suite(.timeLimit(.minutes(1)), .serialized) struct EngineSharing {
    private func team(_ number: Int64) -> BackendCall.Team {
        BackendCall.Team(id: TeamID(rawValue: number), name: "default/\(number)")
    }

    private func call(_ question: String, of number: Int64, bound: Int64 = 64) -> BackendCall {
        var call = BackendCall.ask(question, bound: bound)
        call.team = team(number)
        return call
    }

    @Test func `a call that waits for a slot knows for how long`() async throws {
        let clock = TestTime()
        let slots = EngineSlots(slots: 1, maximumWaiting: 4, shares: EngineShares(), time: clock)
        let begin = clock.uptime
        let first = try await slots.acquire(
            for: .nobody, since: begin, until: begin + .seconds(60))
        #expect(first.waited == .zero)
        let isTaken = slots.acquireIfFree(for: .nobody) == nil
        #expect(isTaken)
        async let second = slots.acquire(
            for: .nobody, since: begin, until: begin + .seconds(60))
        while slots.waitingCount == 0 { await Task.yield() }
        clock.advance(by: .milliseconds(300))
        first.release()
        let waited = try await second.waited
        #expect(waited == .milliseconds(300))
    }

    @Test func `a call that makes room in a full queue is told that it is busy`() async throws {
        let slots = EngineSlots(
            slots: 1, maximumWaiting: 2, shares: EngineShares(), time: SystemTime())
        let time = SystemTime()
        @Sendable func acquire(_ number: Int64) async throws(BackendFailure) -> EngineSlotLease {
            let now = time.uptime
            return try await slots.acquire(for: team(number), since: now, until: now + .seconds(50))
        }
        let held = try await acquire(1)
        try await withThrowingTaskGroup(of: (Int64, BackendFailure?).self) { group in
            for waiting in 1...2 {
                group.addTask { (1, await failure { _ = try await acquire(1) }) }
                while slots.waitingCount < waiting { await Task.yield() }
            }
            group.addTask { (2, await failure { _ = try await acquire(2) }) }
            let displaced = try await group.next()
            #expect(displaced?.0 == 1)
            // One has the slot and two wait, for calls of half a second.
            #expect(displaced?.1?.kind == .busy(retryAfter: .milliseconds(1500)))
            held.release()
            for try await (_, failure) in group { #expect(failure == nil) }
        }
        #expect(slots.waitingCount == 0 && slots.slotsInUse == 0)
    }

    @Test func `the weights are those of the team's name, and one where there is none`() {
        let shares = EngineShares(weights: ["default/2": 5])
        #expect(shares.weight(of: team(1)) == 1)
        #expect(shares.weight(of: team(2)) == 5)
        #expect(shares.weight(of: .nobody) == 1)
    }

    @Test func `one team's burst does not keep another waiting at the real engine`() async throws {
        let folder = try TemporaryFolder()
        try await TestEngine.run(TestEngine.configuration(in: folder, slots: 1)) { engine in
            try await engine.waitUntilHealthy(timeout: .seconds(30))
            let order = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        _ = try await WholeAnswer(engine.forward(call("List 3 fruits.", of: 1)))
                        return 1
                    }
                }
                while engine.waitingCalls < 20 { await Task.yield() }
                group.addTask {
                    let answer = try await engine.forward(call("q", of: 2))
                    let waited = answer.queueTime
                    let whole = try await WholeAnswer(answer)
                    #expect(waited > .zero)
                    // What it waited costs nothing: usage is of tokens.
                    #expect(whole.usage?.prompt ?? 0 > 0)
                    return 2
                }
                var order: [Int64] = []
                for try await number in group { order.append(number) }
                return order
            }
            let behind = order.count - 1 - (order.firstIndex(of: 2) ?? 0)
            #expect(behind >= 15, "most of the burst is served after it: \(behind)")
        }
    }
}
