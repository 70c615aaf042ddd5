import Domain
import Testing

@testable import Gateway

@Suite struct CheckTurnsTests {
    private let keys = (1...3).map { KeyID(rawValue: UInt64($0)) }

    private func turns(_ running: Int = 1) -> CheckTurns {
        var limits = CheckLimits()
        limits.running = running
        limits.waitingBytes = 100
        limits.waitingBytesOfKey = 40
        return CheckTurns(limits, processors: 64)
    }

    /// The tickets in the order of their turns, until none waits.
    private func drain(_ turns: inout CheckTurns) -> [UInt64] {
        var order: [UInt64] = []
        while let next = turns.leave() { order.append(next) }
        return order
    }

    @Test func `no more run at once than are allowed, and each end lets one more run`() {
        var turns = turns(2)
        #expect(turns.enter(1, of: keys[0], bytes: 1) == .runs)
        #expect(turns.enter(2, of: keys[0], bytes: 1) == .runs)
        #expect(turns.enter(3, of: keys[1], bytes: 1) == .waits)
        #expect(turns.leave() == 3)
        #expect(turns.enter(4, of: keys[1], bytes: 1) == .waits)
        #expect(drain(&turns) == [4])
        #expect(turns.leave() == nil && turns.enter(5, of: keys[0], bytes: 1) == .runs)
    }

    @Test(arguments: [(1, 1), (2, 1), (3, 1), (8, 4)])
    func `half of the processors check, and one at least`(_ processors: Int, _ running: Int) {
        var turns = CheckTurns(CheckLimits(), processors: processors)
        for ticket in 0..<running {
            #expect(turns.enter(UInt64(ticket), of: keys[0], bytes: 1) == .runs)
        }
        #expect(turns.enter(99, of: keys[0], bytes: 1) == .waits)
    }

    @Test func `keys take turns, however much one of them sends`() {
        var turns = turns()
        _ = turns.enter(0, of: keys[0], bytes: 1)
        for ticket in 1...4 { _ = turns.enter(UInt64(ticket), of: keys[0], bytes: 1) }
        for ticket in 5...6 { _ = turns.enter(UInt64(ticket), of: keys[1], bytes: 1) }
        _ = turns.enter(7, of: keys[2], bytes: 1)
        #expect(drain(&turns) == [1, 5, 7, 2, 6, 3, 4])
        #expect(turns.waitingBytes == 0)
    }

    @Test func `what waits of a key and of all keys is bounded, and a single text never refused`() {
        var turns = turns()
        _ = turns.enter(0, of: keys[0], bytes: 1000)
        #expect(turns.enter(1, of: keys[0], bytes: 90) == .waits)
        #expect(turns.enter(2, of: keys[0], bytes: 1) == .refused)
        #expect(turns.enter(3, of: keys[1], bytes: 9) == .waits)
        #expect(turns.enter(4, of: keys[1], bytes: 2) == .refused, "all keys together")
        #expect(turns.leave() == 1)
        #expect(turns.enter(5, of: keys[1], bytes: 31) == .waits)
        #expect(turns.enter(6, of: keys[1], bytes: 1) == .refused, "of this key")
        #expect(turns.enter(7, of: keys[2], bytes: 500) == .refused)
        #expect(drain(&turns) == [3, 5])
    }

    @Test func `one that leaves gives its place and its bytes back`() {
        var turns = turns()
        _ = turns.enter(0, of: keys[0], bytes: 1)
        _ = turns.enter(1, of: keys[1], bytes: 40)
        _ = turns.enter(2, of: keys[2], bytes: 1)
        let isCancelled = turns.cancel(1, of: keys[1])
        let isCancelledAgain = turns.cancel(1, of: keys[1])
        #expect(isCancelled && !isCancelledAgain && turns.waitingBytes == 1)
        #expect(turns.enter(3, of: keys[1], bytes: 40) == .waits)
        #expect(drain(&turns) == [2, 3])
    }
}
