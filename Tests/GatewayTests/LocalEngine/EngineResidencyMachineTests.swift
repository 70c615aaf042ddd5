import Domain
import Testing

@testable import Gateway

@Suite struct EngineResidencyDecisions {
    private typealias Machine = EngineResidencyMachine

    /// Two engines of which one fits at a time, and the time they are told.
    private struct Story {
        var machine: EngineResidencyMachine
        var now = Uptime(microseconds: 0)

        init(budget: Int64? = 10, kept: Int64? = nil) {
            var engines: [String: EngineResidencyMachine.Engine] = [:]
            for (name, memory) in [("a", Int64(6)), ("b", 6), ("c", 3)] {
                engines[name] = .init(isKept: false, memory: memory, idleUnload: .seconds(300))
            }
            if let kept {
                engines["kept"] = .init(isKept: true, memory: kept, idleUnload: .zero)
            }
            machine = EngineResidencyMachine(engines, budget: budget, policy: .init())
        }

        mutating func call(_ name: String, after wait: Duration = .zero)
            -> (EngineResidencyMachine.Answer, [EngineResidencyMachine.Action])
        {
            now = now + wait
            return machine.callCame(for: name, at: now)
        }

        mutating func happen(
            _ event: EngineResidencyMachine.Event, after wait: Duration = .zero
        ) -> [EngineResidencyMachine.Action] {
            now = now + wait
            return machine.handle(event, at: now)
        }

        /// A call comes, its engine is loaded, and the call ends.
        mutating func use(_ name: String) {
            _ = call(name)
            _ = happen(.opened(name, memory: 0), after: .milliseconds(1))
            _ = happen(.callEnded(name), after: .milliseconds(1))
        }
    }

    private func ticket(_ answer: EngineResidencyMachine.Answer) throws
        -> EngineResidencyMachine.Ticket
    {
        guard case .waiting(let ticket) = answer else {
            Issue.record("it is \(answer)")
            throw CancellationError()
        }
        return ticket
    }

    @Test func `a call for an engine that is not there has it loaded and waits for it`() throws {
        var story = Story()
        let (first, load) = story.call("a")
        #expect(load == [.load("a")])
        let (second, nothing) = story.call("a")
        #expect(nothing == [])
        let opened = story.happen(.opened("a", memory: 0), after: .seconds(3))
        #expect(opened == [.admit(try ticket(first)), .admit(try ticket(second))])
        let (third, none) = story.call("a")
        #expect(third == .admitted && none == [])
    }

    @Test func `an engine that nobody uses for its time goes, and not before`() {
        var story = Story(budget: nil)
        story.use("a")
        let early = story.happen(.timePassed, after: .seconds(299))
        #expect(early == [])
        let late = story.happen(.timePassed, after: .seconds(1))
        #expect(late == [.unload("a")])
        // Who comes while it goes waits for its next load.
        let (_, wait) = story.call("a")
        #expect(wait == [])
        let again = story.happen(.unloaded("a"))
        #expect(again == [.load("a")])
    }

    @Test func `for one that needs room, the idle one used longest ago goes first`() throws {
        var story = Story(budget: 14)
        story.use("b")
        story.use("a")
        story.use("b")
        let (answer, actions) = story.call("c", after: .seconds(1))
        #expect(actions == [.unload("a")], "twelve are taken, and three needed of fourteen")
        let (_, nothing) = story.call("c")
        #expect(nothing == [], "not before there is room")
        let gone = story.happen(.unloaded("a"))
        #expect(gone == [.load("c")])
        let opened = story.happen(.opened("c", memory: 0))
        #expect(opened.first == .admit(try ticket(answer)))
    }

    @Test func `one that need not go once a larger one does stays`() {
        var story = Story()
        story.use("c")
        story.use("a")
        let (_, actions) = story.call("b")
        #expect(actions == [.unload("a")], "nine are taken, and six needed of ten")
        let gone = story.happen(.unloaded("a"))
        #expect(gone == [.load("b")])
    }

    @Test func `one in use has its turn, then takes no new calls, and goes with its last`() throws {
        var story = Story()
        _ = story.call("a")
        _ = story.happen(.opened("a", memory: 0))
        let (other, nothing) = story.call("b", after: .seconds(1))
        #expect(nothing == [])
        let (stillServed, none) = story.call("a", after: .seconds(8))
        #expect(stillServed == .admitted && none == [])
        let passed = story.happen(.timePassed, after: .seconds(1))
        #expect(passed == [], "its turn is over, its calls are not")
        let (later, _) = story.call("a")
        _ = try ticket(later)
        let oneLeft = story.happen(.callEnded("a"))
        #expect(oneLeft == [])
        let ended = story.happen(.callEnded("a"))
        #expect(ended == [.unload("a")])
        let gone = story.happen(.unloaded("a"))
        #expect(gone == [.load("b")])
        let opened = story.happen(.opened("b", memory: 0))
        #expect(opened == [.admit(try ticket(other))])
        // The turn goes round.
        _ = story.happen(.timePassed, after: .seconds(10))
        let round = story.happen(.callEnded("b"))
        #expect(round == [.unload("b")])
    }

    @Test func `a client that leaves gives the room back that it had asked for`() throws {
        var story = Story()
        _ = story.call("a")
        _ = story.happen(.opened("a", memory: 0))
        let (other, _) = story.call("b", after: .seconds(20))
        let (later, _) = story.call("a")
        let left = story.happen(.waiterLeft(try ticket(other)))
        #expect(left == [.admit(try ticket(later))])
        let ended = [story.happen(.callEnded("a")), story.happen(.callEnded("a"))]
        #expect(ended == [[], []])
    }

    @Test func `one that does not start is left alone for a while, and told at once`() throws {
        var story = Story()
        let (answer, _) = story.call("a")
        let twice = [
            story.happen(.startFailed("a", times: 1)), story.happen(.startFailed("a", times: 2)),
        ]
        #expect(twice == [[], []])
        let hopeless = story.happen(.startFailed("a", times: 3))
        #expect(
            hopeless == [.unload("a"), .refuse(try ticket(answer), retryAfter: .seconds(30))])
        _ = story.happen(.unloaded("a"))
        let (refused, _) = story.call("a", after: .seconds(10))
        #expect(refused == .failed(retryAfter: .seconds(20)))
        let (again, load) = story.call("a", after: .seconds(20))
        _ = try ticket(again)
        #expect(load == [.load("a")])
    }

    @Test func `one that crashes is waited for, and its memory stays its own`() throws {
        var story = Story()
        story.use("a")
        _ = story.happen(.closed("a"))
        let (answer, nothing) = story.call("a")
        #expect(nothing == [])
        let (_, none) = story.call("b")
        #expect(none == [])
        let opened = story.happen(.opened("a", memory: 0))
        #expect(opened == [.admit(try ticket(answer))])
    }

    @Test func `one that has grown beyond the budget makes idle ones go`() {
        var story = Story()
        story.use("a")
        story.use("c")
        let grown = story.happen(.measured("c", memory: 5))
        #expect(grown == [.unload("a")])
        #expect(story.machine.memory == 11)
        _ = story.happen(.unloaded("a"))
        #expect(story.machine.memory == 5)
    }

    @Test func `one that never fits beside those that stay is told as such`() {
        var story = Story(kept: 5)
        let (answer, actions) = story.call("a")
        #expect(answer == .tooLarge && actions == [])
        let (_, fits) = story.call("c")
        #expect(fits == [.load("c")])
    }

    @Test func `whatever happens, the budget holds, none in use goes, and all are told`() {
        var (admitted, unloads) = (0, 0)
        for seed in UInt64(1)..<301 {
            var world = ResidencyWorld(seed: seed)
            world.run(steps: 600)
            #expect(world.broken == [], "seed \(seed)")
            admitted += world.admitted
            unloads += world.unloads
        }
        #expect(admitted > 10_000 && unloads > 3000, "\(admitted) calls, \(unloads) unloads")
    }
}
