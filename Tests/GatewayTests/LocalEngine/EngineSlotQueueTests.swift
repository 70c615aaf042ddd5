import Domain
import Testing

@testable import Gateway

@Suite struct EngineSlotQueues {
    private typealias Ticket = EngineSlotQueue.Ticket
    private let start = Uptime(microseconds: 0)
    private let one = TeamID(rawValue: 1)
    private let two = TeamID(rawValue: 2)
    private let three = TeamID(rawValue: 3)

    private func queued(_ answer: EngineSlotQueue.Answer) throws -> Ticket {
        guard case .queued(let ticket, nil) = answer else {
            Issue.record("it is \(answer)")
            throw CancellationError()
        }
        return ticket
    }

    private func granted(_ answer: EngineSlotQueue.Answer) throws -> Ticket {
        guard case .granted(let ticket) = answer else {
            Issue.record("it is \(answer)")
            throw CancellationError()
        }
        return ticket
    }

    @Test func `slots are given in the order of asking within a team`() throws {
        var queue = EngineSlotQueue(slots: 2, maximumWaiting: 2)
        func ask() -> EngineSlotQueue.Answer {
            queue.slotWasRequested(by: one, weight: 1, at: start)
        }
        let (first, second) = (try granted(ask()), try granted(ask()))
        let (third, fourth) = (try queued(ask()), try queued(ask()))
        let fifth = ask()
        #expect(fifth == .full)
        let next = [
            queue.slotWasReleased(second, at: start), queue.slotWasReleased(second, at: start),
        ]
        #expect(next == [third, nil])
        let left = [queue.waiterLeft(fourth), queue.waiterLeft(fourth)]
        #expect(left == [true, false])
        let nobody = queue.slotWasReleased(first, at: start)
        #expect(nobody == nil)
        #expect(queue.slotsInUse == 1)
    }

    @Test func `who was granted a slot while leaving has to give it back`() throws {
        var queue = EngineSlotQueue(slots: 1, maximumWaiting: 1)
        let first = try granted(queue.slotWasRequested(by: one, weight: 1, at: start))
        let second = try queued(queue.slotWasRequested(by: one, weight: 1, at: start))
        let next = queue.slotWasReleased(first, at: start)
        #expect(next == second)
        let wasWaiting = queue.waiterLeft(second)
        #expect(!wasWaiting)
        #expect(queue.slotsInUse == 1)
        let nobody = queue.slotWasReleased(second, at: start)
        #expect(nobody == nil)
        #expect(queue.slotsInUse == 0)
    }

    @Test func `a team that comes into another's burst has the next slot that comes free`() throws {
        var queue = EngineSlotQueue(slots: 2, maximumWaiting: 256)
        var now = start
        var running = [
            try granted(queue.slotWasRequested(by: one, weight: 1, at: now)),
            try granted(queue.slotWasRequested(by: one, weight: 1, at: now)),
        ]
        for _ in 0..<200 { _ = queue.slotWasRequested(by: one, weight: 1, at: now) }
        // The burst has gone on for a while.
        for _ in 0..<40 {
            now = now + .seconds(1)
            let next = queue.slotWasReleased(running.removeFirst(), at: now)
            running.append(try #require(next))
        }
        let other = try queued(queue.slotWasRequested(by: two, weight: 1, at: now))
        now = now + .seconds(1)
        let next = queue.slotWasReleased(running.removeFirst(), at: now)
        #expect(next == other)
    }

    @Test func `a team that was away has saved nothing up`() throws {
        var queue = EngineSlotQueue(slots: 1, maximumWaiting: 256)
        var now = start
        var running = try granted(queue.slotWasRequested(by: one, weight: 1, at: now))
        for _ in 0..<100 { _ = queue.slotWasRequested(by: one, weight: 1, at: now) }
        for _ in 0..<50 {
            now = now + .seconds(1)
            let next = queue.slotWasReleased(running, at: now)
            running = try #require(next)
        }
        var others: Set<Ticket> = []
        for _ in 0..<50 {
            others.insert(try queued(queue.slotWasRequested(by: two, weight: 1, at: now)))
        }
        var served = 0
        for _ in 0..<20 {
            now = now + .seconds(1)
            let next = queue.slotWasReleased(running, at: now)
            running = try #require(next)
            served += others.contains(running) ? 1 : 0
        }
        #expect((9...11).contains(served), "half of twenty, not all: \(served)")
    }

    @Test func `a full queue makes room for a team that does not crowd it`() throws {
        var queue = EngineSlotQueue(slots: 1, maximumWaiting: 4)
        _ = try granted(queue.slotWasRequested(by: one, weight: 1, at: start))
        var ones: [Ticket] = []
        for _ in 0..<4 {
            ones.append(try queued(queue.slotWasRequested(by: one, weight: 1, at: start)))
        }
        let more = queue.slotWasRequested(by: one, weight: 1, at: start)
        #expect(more == .full, "a burst does not make room for itself")
        let answer = queue.slotWasRequested(by: two, weight: 1, at: start)
        guard case .queued(let two, let displaced) = answer else {
            Issue.record("it is \(answer)")
            return
        }
        #expect(displaced == ones[3], "the newest of the burst")
        #expect(queue.waitingCount == 4)
        // Two of three shares may fill two thirds of the queue.
        let heavy = queue.slotWasRequested(by: three, weight: 4, at: start)
        guard case .queued(_, let next?) = heavy else {
            Issue.record("it is \(heavy)")
            return
        }
        #expect(next == ones[2])
        // Now each has about its part: nobody is sent away for one who has as many.
        let last = queue.slotWasRequested(by: self.two, weight: 1, at: start)
        #expect(last == .full)
        let dismissed = queue.waitersWereDismissed()
        #expect(dismissed.prefix(3) == [ones[0], ones[1], two])
    }

    @Test func `the wait that is told grows with the queue and with what calls take`() throws {
        var queue = EngineSlotQueue(slots: 1, maximumWaiting: 256)
        #expect(queue.expectedWait == .seconds(1))
        var running = try granted(queue.slotWasRequested(by: one, weight: 1, at: start))
        for _ in 0..<60 { _ = queue.slotWasRequested(by: one, weight: 1, at: start) }
        var now = start
        for _ in 0..<50 {
            now = now + .seconds(2)
            let next = queue.slotWasReleased(running, at: now)
            running = try #require(next)
        }
        // Ten wait, and a call takes nearly two seconds.
        #expect((18...22).contains(queue.expectedWait.components.seconds))
        for _ in 0..<200 { _ = queue.slotWasRequested(by: one, weight: 1, at: now) }
        #expect(queue.expectedWait == .seconds(60))
    }
}
