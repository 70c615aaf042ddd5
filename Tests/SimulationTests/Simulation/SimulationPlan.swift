import Domain

/// What a seed makes happen: how many nodes, which limits, which requests, which faults and when.
struct SimulationPlan {
    /// Something that goes wrong, or that an administrator does.
    enum Fault: CaseIterable, Equatable {
        case kill, loseHost, losePower, pause, serverCrash, failOver, cutOff, flaky, slow
        case changeLimit, revokeKey, drain, clockJump
    }

    struct FaultAt {
        let fault: Fault
        /// In microseconds.
        let time: Int64
        /// How long it lasts, where it does.
        let length: Int64
        let node: Int
    }

    struct RequestAt {
        let time: Int64
        let node: Int
        let key: Int
        let prompt: Int64
        let completion: Int64
    }

    let nodes: Int
    let keys: Int
    private(set) var keyLimit: Int64
    private(set) var teamLimit: Int64
    /// How far the hosts' wall clocks are off, in microseconds.
    let wallError: Int64
    private(set) var requests: [RequestAt]
    private(set) var faults: [FaultAt]

    private static let crowd = 4

    /// After this no fault comes, and those that last have ended.
    static let end: Int64 = 8_000_000

    /// The same where no node dies, and where the standby takes over instead; with less to share and
    /// more that want it, so that units move between nodes all the time, and what is granted twice
    /// would be spent twice.
    var withoutDeaths: SimulationPlan {
        var plan = self
        plan.requests = requests.flatMap { request in
            (0..<Self.crowd).map { number in
                RequestAt(
                    time: request.time + Int64(number) * 130_000,
                    node: (request.node + number) % nodes, key: request.key,
                    prompt: request.prompt, completion: request.completion % 5 + 1)
            }
        }
        plan.keyLimit = 40 + keyLimit % 90
        plan.teamLimit = 60 + teamLimit % 120
        plan.faults = faults.map { planned in
            var fault = planned.fault
            switch fault {
            case .kill, .loseHost, .losePower, .drain, .changeLimit: fault = .failOver
            case .pause, .serverCrash, .failOver, .cutOff, .flaky, .slow, .revokeKey, .clockJump:
                break
            }
            return FaultAt(
                fault: fault, time: planned.time, length: min(planned.length, 900_000),
                node: planned.node)
        }
        return plan
    }

    init(_ random: inout SeededRandom) {
        nodes = 1 + random.below(3)
        keys = 1 + random.below(2)
        keyLimit = 20 + Int64(random.below(150))
        teamLimit = 30 + Int64(random.below(200))
        wallError = random.chance(1, of: 5) ? Int64(random.below(3) - 1) * 86_400_000_000 : 0
        let (nodes, keys) = (nodes, keys)
        requests = (0..<(6 + random.below(12))).map { _ in
            RequestAt(
                time: Int64(random.below(6_500_000)), node: random.below(nodes),
                key: random.below(keys), prompt: Int64(random.below(6)) + 1,
                completion: Int64(random.below(14)) + 1)
        }
        faults = (0..<random.below(5)).map { _ in
            let fault = random.pick(Fault.allCases)
            // A node that is only paused or cut off is interesting when it comes back fenced.
            let isLong = random.chance([.pause, .cutOff].contains(fault) ? 2 : 1, of: 3)
            return FaultAt(
                fault: fault, time: Int64(random.below(4_000_000)) + 100_000,
                length: isLong
                    ? 2_500_000 + Int64(random.below(4_000_000)) : Int64(random.below(900_000)),
                node: random.below(nodes))
        }
    }
}
