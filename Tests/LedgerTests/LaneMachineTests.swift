import Domain
import Testing

@testable import Ledger

@Suite struct LaneMachineTests {
    private let key = LaneKey(shard: 3, node: 7, epoch: 99)

    private func opening(_ number: Int) -> Opening {
        Opening(
            requestID: RequestID(rawValue: UInt128(number)), key: KeyID(rawValue: 1),
            modelNumber: 1,
            backendNumber: 1, price: nil, bound: TokenBound(prompt: 1, completion: 1), claims: [],
            admittedAt: Timestamp(microseconds: 0))
    }

    private func closing(_ number: Int) -> Closing {
        let settlement = Settlement.void
        return Closing(
            requestID: RequestID(rawValue: UInt128(number)), claims: [],
            charge: Charge(settlement, bound: TokenBound(prompt: 1, completion: 1), price: nil),
            settlement: settlement, admittedAt: Timestamp(microseconds: 0))
    }

    private func machine(_ count: Int) -> LaneMachine {
        var lane = LaneMachine()
        lane.opened(key)
        for number in 0..<count { lane.enqueue(opening(number)) }
        return lane
    }

    @Test func `nothing is sent before the lane is open`() {
        var lane = LaneMachine()
        lane.enqueue(opening(1))
        let batchA = lane.nextBatch()
        #expect(batchA == nil)
        lane.opened(key)
        let batchB = lane.nextBatch()
        #expect(batchB?.openings.count == 1)
    }

    @Test func `one batch is in flight at a time and sequences have no gap`() {
        var lane = machine(300)
        let first = lane.nextBatch()
        #expect(first?.sequence == 1 && first?.openings.count == LaneMachine.batchLimit)
        let batchC = lane.nextBatch()
        #expect(batchC == nil)
        lane.committed()
        let batchD = lane.nextBatch()
        #expect(batchD?.sequence == 2)
    }

    @Test func `a closing never overtakes its opening`() {
        var lane = machine(300)
        lane.enqueue(closing(299))
        let batchE = lane.nextBatch()
        #expect(batchE?.closings.isEmpty == true)
        lane.committed()
        let second = lane.nextBatch()
        #expect(second?.openings.count == 44 && second?.closings.count == 1)
    }

    @Test func `a lost answer: applied iff the ledger's sequence has reached the batch`() {
        var lane = machine(1)
        _ = lane.nextBatch()
        guard
            case .resend(let batch) = lane.resumed(
                LaneMachine.Row(epoch: 99, lastSequence: 0, isLive: true))
        else {
            Issue.record("not resent")
            return
        }
        #expect(batch.sequence == 1)
        guard
            case .applied = lane.resumed(LaneMachine.Row(epoch: 99, lastSequence: 1, isLive: true))
        else {
            Issue.record("not applied")
            return
        }
        // Still in flight: the question for its results may fail, and then it is asked again.
        #expect(lane.inFlight != nil)
        lane.committed()
        #expect(lane.inFlight == nil)
    }

    @Test func `a correction is sealed by the next batch, an empty one if need be, or repeated`() {
        var lane = machine(1)
        let closing = closing(7)
        lane.corrected(closing)
        let first = lane.nextBatch()
        #expect(first?.openings.count == 1 && first?.corrected == [closing.requestID])
        // Carried out after that batch was put together: it waits for the next.
        let other = self.closing(8)
        lane.corrected(other)
        lane.committed()
        let second = lane.nextBatch()
        #expect(second?.count == 0 && second?.corrected == [other.requestID])
        _ = lane.fenced()
        #expect(lane.backlog == 0)
    }

    @Test(arguments: [
        LaneMachine.Row(epoch: 98, lastSequence: 1, isLive: true),
        LaneMachine.Row(epoch: 99, lastSequence: 1, isLive: false), nil,
    ])
    func `another epoch, a dead lane or no row at all is a fence`(row: LaneMachine.Row?) {
        var lane = machine(2)
        _ = lane.nextBatch()
        guard case .fenced = lane.resumed(row) else {
            Issue.record("not fenced")
            return
        }
        let lost = lane.fenced()
        #expect(lost.openings.count == 2)
        let batchF = lane.nextBatch()
        #expect(batchF == nil)
    }

    @Test
    func
        `a refused batch is sent row by row until the bad row stands alone`()
    {
        var lane = machine(3)
        _ = lane.nextBatch()
        guard case .isolated = lane.rejected() else {
            Issue.record("not isolated")
            return
        }
        let alone = lane.nextBatch()
        #expect(alone?.sequence == 1 && alone?.count == 1)
        guard case .opening(let bad) = lane.rejected() else {
            Issue.record("the row was not set aside")
            return
        }
        #expect(bad.requestID == RequestID(rawValue: 0))
        let batchG = lane.nextBatch()
        #expect(batchG?.openings.map(\.requestID) == [RequestID(rawValue: 1)])
        lane.committed()
        let batchH = lane.nextBatch()
        #expect(batchH?.sequence == 2)
    }

    /// A closing that is counted by key 1 in the given hour.
    private func closing(_ number: Int, hour: Int64) -> Closing {
        let opening = Opening(
            requestID: RequestID(rawValue: UInt128(number)), key: KeyID(rawValue: 1),
            modelNumber: 1, backendNumber: 1, price: nil,
            bound: TokenBound(prompt: 1, completion: 1), claims: [],
            admittedAt: Timestamp(microseconds: hour * 3_600_000_000 + 7))
        var closing = closing(number)
        closing.rollup = RollupRow(opening)
        return closing
    }

    /// Sends the closing in a batch of its own, and says whether that makes rows of the rollup.
    private func makesRollups(_ lane: inout LaneMachine, _ closing: Closing) -> Bool? {
        lane.enqueue(closing)
        let batch = lane.nextBatch()
        lane.committed(settled: [closing.requestID])
        return batch?.makesRollups
    }

    @Test func `a row of the rollup is made once an hour, until the lane is opened anew`() {
        var lane = machine(0)
        let first = makesRollups(&lane, closing(1, hour: 5))
        let second = makesRollups(&lane, closing(2, hour: 5))
        let nextHour = makesRollups(&lane, closing(3, hour: 6))
        let unknown = makesRollups(&lane, closing(4))
        #expect(first == true && second == false && nextHour == true && unknown == true)
        lane.opened(key)
        let anew = makesRollups(&lane, closing(5, hour: 6))
        #expect(anew == true)
    }

    @Test func `what a batch did not settle has made no row of the rollup`() {
        var lane = machine(0)
        lane.enqueue(closing(1, hour: 5))
        _ = lane.nextBatch()
        lane.committed(settled: [])
        let second = makesRollups(&lane, closing(2, hour: 5))
        #expect(second == true)
    }

    @Test func `a closing refused for a missing row of the rollup is sent once more and makes it`()
    {
        var lane = machine(0)
        _ = makesRollups(&lane, closing(1, hour: 5))
        let closing = closing(2, hour: 5)
        lane.enqueue(closing)
        _ = lane.nextBatch()
        guard case .isolated = lane.rejected() else {
            Issue.record("it was set aside")
            return
        }
        let again = lane.nextBatch()
        #expect(again?.closings.count == 1 && again?.makesRollups == true)
        guard case .closing = lane.rejected() else {
            Issue.record("it would be sent for ever")
            return
        }
    }

    @Test func `suspect rows go before new ones, so that a bad one is found under any load`() {
        var lane = machine(2)
        _ = lane.nextBatch()
        _ = lane.rejected()
        for number in 10..<400 { lane.enqueue(opening(number)) }
        var singles: [Int] = []
        for _ in 0..<2 {
            singles.append(lane.nextBatch()?.count ?? 0)
            lane.committed()
        }
        #expect(singles == [1, 1])
        let next = lane.nextBatch()
        #expect(next?.count == LaneMachine.batchLimit)
    }

    @Test func `an opening that was not sent can be taken back, one in flight cannot`() {
        var lane = machine(1)
        let isTakenBack = lane.withdraw(opening: RequestID(rawValue: 0))
        #expect(isTakenBack)
        #expect(lane.backlog == 0)
        lane.enqueue(opening(5))
        _ = lane.nextBatch()
        let isTakenBackInFlight = lane.withdraw(opening: RequestID(rawValue: 5))
        #expect(!isTakenBackInFlight)
    }
}
