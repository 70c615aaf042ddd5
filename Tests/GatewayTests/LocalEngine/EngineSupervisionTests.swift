import Domain
import Testing

@testable import Gateway

@Suite struct EngineSupervision {
    private typealias Machine = EngineSupervisorMachine

    /// A machine with the time it is told.
    private struct Story {
        var machine = Machine(.init(startTimeout: .seconds(10)))
        var now = Uptime(microseconds: 0)

        mutating func happen(_ event: Machine.Event, after wait: Duration = .zero) -> [Machine
            .Action]
        {
            now = now + wait
            return machine.handle(event, at: now)
        }

        mutating func becomeHealthy(start: Int = 1) {
            _ = happen(.startWasRequested)
            _ = happen(.timePassed, after: .milliseconds(50))
            _ = happen(.healthWasChecked(isHealthy: true, start: start))
        }

        func at(_ duration: Duration) -> Uptime { now + duration }
    }

    @Test func `an engine takes calls from its first healthy answer`() {
        var story = Story()
        #expect(
            story.happen(.startWasRequested)
                == [.spawn(start: 1), .wake(at: story.at(.milliseconds(50)))])
        #expect(story.happen(.timePassed) == [.wake(at: story.at(.milliseconds(50)))])
        #expect(
            story.happen(.timePassed, after: .milliseconds(50)) == [.checkHealth(start: 1)])
        #expect(
            story.happen(.healthWasChecked(isHealthy: false, start: 1))
                == [.wake(at: story.at(.milliseconds(50)))])
        _ = story.happen(.timePassed, after: .milliseconds(50))
        #expect(story.machine.retryAfter(at: story.now) == .seconds(1))
        #expect(
            story.happen(.healthWasChecked(isHealthy: true, start: 1))
                == [.open(start: 1), .wake(at: story.at(.seconds(5)))])
        #expect(story.machine.retryAfter(at: story.now) == nil)
    }

    @Test func `a start that takes too long is killed and tried again`() {
        var story = Story()
        _ = story.happen(.startWasRequested)
        _ = story.happen(.timePassed, after: .seconds(10))
        #expect(story.happen(.healthWasChecked(isHealthy: false, start: 1)) == [.kill])
        #expect(
            story.happen(.childExited(start: 1)) == [.wake(at: story.at(.milliseconds(500)))])
        #expect(
            story.happen(.timePassed, after: .milliseconds(500))
                == [.spawn(start: 2), .wake(at: story.at(.milliseconds(50)))])
    }

    @Test func `the wait between starts doubles up to half a minute`() {
        var story = Story()
        _ = story.happen(.startWasRequested)
        for (start, wait) in [0.5, 1, 2, 4, 8, 16, 30, 30].enumerated() {
            #expect(
                story.happen(.childExited(start: start + 1))
                    == [.wake(at: story.at(.seconds(wait)))])
            #expect(story.machine.failedStarts == start + 1)
            #expect(story.machine.retryAfter(at: story.now) == max(.seconds(1), .seconds(wait)))
            _ = story.happen(.timePassed, after: .seconds(wait))
        }
    }

    @Test func `a minute of health makes the next wait short again and a shorter one does not`() {
        var story = Story()
        _ = story.happen(.startWasRequested)
        _ = story.happen(.childExited(start: 1))
        _ = story.happen(.timePassed, after: .seconds(1))
        _ = story.happen(.healthWasChecked(isHealthy: true, start: 2))
        #expect(
            story.happen(.childExited(start: 2), after: .seconds(59))
                == [.close, .cutCalls, .wake(at: story.at(.seconds(1)))])
        _ = story.happen(.timePassed, after: .seconds(1))
        _ = story.happen(.healthWasChecked(isHealthy: true, start: 3))
        #expect(
            story.happen(.childExited(start: 3), after: .seconds(60))
                == [.close, .cutCalls, .wake(at: story.at(.milliseconds(500)))])
    }

    @Test func `three silences in a row end a healthy engine and two do not`() {
        var story = Story()
        story.becomeHealthy()
        for isHealthy in [false, false, true, false, false] {
            #expect(story.happen(.timePassed, after: .seconds(5)) == [.checkHealth(start: 1)])
            #expect(
                story.happen(.healthWasChecked(isHealthy: isHealthy, start: 1))
                    == [.wake(at: story.at(.seconds(5)))])
        }
        _ = story.happen(.timePassed, after: .seconds(5))
        #expect(
            story.happen(.healthWasChecked(isHealthy: false, start: 1))
                == [.close, .cutCalls, .kill])
        #expect(story.machine.retryAfter(at: story.now) != nil)
    }

    @Test func `what an earlier start says changes nothing`() {
        var story = Story()
        _ = story.happen(.startWasRequested)
        _ = story.happen(.childExited(start: 1))
        _ = story.happen(.timePassed, after: .seconds(1))
        #expect(story.happen(.healthWasChecked(isHealthy: true, start: 1)) == [])
        #expect(story.happen(.childExited(start: 1)) == [])
        #expect(story.machine.retryAfter(at: story.now) != nil)
    }

    @Test func `a stop asks twice, then kills, and ends with the process`() {
        var story = Story()
        story.becomeHealthy()
        #expect(
            story.happen(.stopWasRequested)
                == [.close, .cutCalls, .terminate, .wake(at: story.at(.seconds(1)))])
        #expect(story.happen(.stopWasRequested) == [])
        #expect(story.happen(.timePassed) == [.wake(at: story.at(.seconds(1)))])
        #expect(
            story.happen(.timePassed, after: .seconds(1))
                == [.terminate, .wake(at: story.at(.seconds(2)))])
        #expect(story.happen(.timePassed, after: .seconds(2)) == [.kill])
        #expect(story.happen(.childExited(start: 1)) == [.finish])
        #expect(story.happen(.startWasRequested) == [])
        #expect(story.happen(.timePassed) == [])
    }

    @Test func `a stop while nothing runs ends at once and nothing is started any more`() {
        var story = Story()
        _ = story.happen(.startWasRequested)
        _ = story.happen(.childExited(start: 1))
        #expect(story.happen(.stopWasRequested) == [.close, .finish])
        #expect(story.happen(.timePassed, after: .seconds(60)) == [])
    }

    @Test func `a stop while an engine is being killed waits for its end`() {
        var story = Story()
        _ = story.happen(.startWasRequested)
        _ = story.happen(.timePassed, after: .seconds(10))
        _ = story.happen(.healthWasChecked(isHealthy: false, start: 1))
        #expect(story.happen(.stopWasRequested) == [])
        #expect(story.happen(.childExited(start: 1)) == [.finish])
    }

    @Test func `one that is unloaded ends as at a stop, and can be asked for again`() {
        var story = Story()
        story.becomeHealthy()
        #expect(
            story.happen(.unloadWasRequested)
                == [.close, .cutCalls, .terminate, .wake(at: story.at(.seconds(1)))])
        #expect(story.happen(.unloadWasRequested) == [])
        #expect(
            story.happen(.timePassed, after: .seconds(1))
                == [.terminate, .wake(at: story.at(.seconds(2)))])
        #expect(story.happen(.childExited(start: 1)) == [.unloaded])
        #expect(
            story.happen(.startWasRequested)
                == [.spawn(start: 2), .wake(at: story.at(.milliseconds(50)))])
    }

    @Test func `one that does not start is unloaded at once and then begins as at first`() {
        var story = Story()
        _ = story.happen(.startWasRequested)
        _ = story.happen(.childExited(start: 1))
        #expect(story.happen(.unloadWasRequested) == [.close, .unloaded])
        #expect(story.machine.failedStarts == 0)
        #expect(story.happen(.timePassed, after: .seconds(60)) == [])
        _ = story.happen(.startWasRequested)
        #expect(
            story.happen(.childExited(start: 2)) == [.wake(at: story.at(.milliseconds(500)))])
    }

    @Test func `a stop while one is being unloaded is for good`() {
        var story = Story()
        story.becomeHealthy()
        _ = story.happen(.unloadWasRequested)
        #expect(story.happen(.stopWasRequested) == [])
        #expect(story.happen(.childExited(start: 1)) == [.finish])
        #expect(story.happen(.startWasRequested) == [])
    }
}
