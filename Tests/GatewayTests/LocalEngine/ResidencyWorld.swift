import Domain
import TestSupport

@testable import Gateway

/// Engines, calls and failures at random around an ``EngineResidencyMachine``, in a time of its own.
/// It does what the machine says, late, and notes every promise that is broken.
struct ResidencyWorld {
    private struct Process {
        var isOpen = false
        var isEnding = false
        var failures = 0
    }

    /// What was promised and not kept.
    private(set) var broken: [String] = []
    private(set) var admitted = 0
    private(set) var unloads = 0
    private let budget: Int64
    private let engines: [String: EngineResidencyMachine.Engine]
    private var machine: EngineResidencyMachine
    private var random: SplitMix
    private var now = Uptime(microseconds: 0)
    private var processes: [String: Process] = [:]
    private var running: [String: Int] = [:]
    private var waiting: [EngineResidencyMachine.Ticket: (engine: String, since: Uptime)] = [:]

    /// A random world of a seed.
    init(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var engines: [String: EngineResidencyMachine.Engine] = [:]
        for number in 0..<Int(random.below(4)) + 2 {
            engines["engine\(number)"] = .init(
                isKept: number == 0 && random.below(2) == 0, memory: Int64(random.below(9)) + 1,
                idleUnload: .seconds(Int64(random.below(60)) + 5))
        }
        let kept = engines.values.filter(\.isKept).reduce(0) { $0 + $1.memory }
        let most = engines.values.filter { !$0.isKept }.map(\.memory).max() ?? 0
        budget = kept + most + Int64(random.below(6))
        self.engines = engines
        self.random = random
        machine = EngineResidencyMachine(engines, budget: budget, policy: .init())
        for (name, engine) in engines where engine.isKept { processes[name] = Process() }
    }

    /// Lets things happen, then waits for everybody to be told.
    mutating func run(steps: Int) {
        for _ in 0..<steps { step(isCalm: false) }
        for _ in 0..<3000 where !waiting.isEmpty { step(isCalm: true) }
        if !waiting.isEmpty { broken.append("\(waiting.count) calls were never told anything") }
    }

    private mutating func step(isCalm: Bool) {
        now = now + .milliseconds(Int64(random.below(3000)))
        let name = engines.keys.sorted()[Int(random.below(UInt64(engines.count)))]
        switch random.below(isCalm ? 5 : 10) {
        case 0: while running[name] ?? 0 > 0 { endCall(name) }
        case 1: advance(name)
        case 2: advance(name)
        case 3: tell(.timePassed)
        case 4: endCall(name)
        case 5, 6, 7: call(name)
        case 8: if let left = waiting.keys.min(by: { $0.rawValue < $1.rawValue }) { leave(left) }
        default: if random.below(4) == 0 { crash(name) }
        }
        let taken = processes.keys.reduce(0) { $0 + (engines[$1]?.memory ?? 0) }
        if taken > budget { broken.append("\(taken) are taken of \(budget)") }
    }

    private mutating func call(_ name: String) {
        let (answer, actions) = machine.callCame(for: name, at: now)
        switch answer {
        case .admitted: admit(name)
        case .waiting(let ticket): waiting[ticket] = (name, now)
        case .failed: break
        case .tooLarge: broken.append("\(name) fits and is called too large")
        }
        perform(actions)
    }

    private mutating func admit(_ name: String) {
        if processes[name]?.isOpen != true { broken.append("\(name) is not there to be called") }
        running[name, default: 0] += 1
        admitted += 1
    }

    private mutating func endCall(_ name: String) {
        guard let calls = running[name], calls > 0 else { return }
        running[name] = calls - 1
        tell(.callEnded(name))
    }

    private mutating func leave(_ ticket: EngineResidencyMachine.Ticket) {
        waiting[ticket] = nil
        tell(.waiterLeft(ticket))
    }

    /// A process comes a step further.
    private mutating func advance(_ name: String) {
        guard var process = processes[name] else { return }
        if process.isEnding {
            processes[name] = nil
            tell(.unloaded(name))
        } else if !process.isOpen {
            if random.below(4) == 0 {
                process.failures += 1
                processes[name] = process
                tell(.startFailed(name, times: process.failures))
            } else {
                (process.isOpen, process.failures) = (true, 0)
                processes[name] = process
                tell(.opened(name, memory: engines[name]?.memory ?? 0))
            }
        }
    }

    /// A process ends by itself, and its calls with it; another one follows.
    private mutating func crash(_ name: String) {
        guard processes[name]?.isOpen == true, processes[name]?.isEnding == false else { return }
        processes[name] = Process()
        tell(.closed(name))
        while running[name] ?? 0 > 0 { endCall(name) }
    }

    private mutating func tell(_ event: EngineResidencyMachine.Event) {
        perform(machine.handle(event, at: now))
    }

    private mutating func perform(_ actions: [EngineResidencyMachine.Action]) {
        for action in actions {
            switch action {
            case .load(let name):
                if processes[name] != nil { broken.append("\(name) is loaded twice") }
                processes[name] = Process()
            case .unload(let name):
                unloads += 1
                if engines[name]?.isKept == true { broken.append("\(name) is kept, and goes") }
                // A crashed one's calls end as soon as they are looked at.
                if running[name] ?? 0 > 0, processes[name]?.isOpen == true {
                    broken.append("\(name) is in use, and goes")
                }
                processes[name]?.isEnding = true
            case .admit(let ticket):
                guard let call = waiting.removeValue(forKey: ticket) else {
                    broken.append("a call is admitted that does not wait")
                    continue
                }
                admit(call.engine)
            case .refuse(let ticket, _):
                if waiting.removeValue(forKey: ticket) == nil {
                    broken.append("a call is refused that does not wait")
                }
            }
        }
    }
}
