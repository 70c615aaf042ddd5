import Domain

@testable import Ledger

/// A whole installation under one seed: nodes, ledger, network, clients, faults, and the checks.
// Unchecked: a simulation runs on one thread from its first job to its last.
final class Simulation: @unchecked Sendable {
    let seed: UInt64
    /// What is done wrong in this one, if anything is.
    let mutation: Mutation?
    let kernel: SimulationKernel
    let server: SimulatedServer
    let network: SimulatedNetwork
    let plan: SimulationPlan
    let settings: LedgerSettings
    private(set) var nodes: [SimulatedNode] = []
    private(set) var requests: [ClientRequest] = []
    private var isHealed = false
    /// Whether a node that stops is started again at once: between the last fault and the end.
    private(set) var keepsNodesRunning = false
    /// Hosts that never come back.
    private var lostNodes: [Int64] = []
    /// What an operator gave up of each account.
    private var writtenOff: [Int64: Int64] = [:]
    /// What was found wrong; the first is the one to look at.
    private(set) var failures: [String] = []
    private var books: BookCheck
    /// Whether everything that happens is written down.
    var tells = false
    private(set) var story: [String] = []

    /// Whether the standby lags, so that a failover loses what was acknowledged.
    private let isLagging: Bool

    /// With `losesSettlements` a failover loses what was acknowledged of settlements; with
    /// `isLagging` of everything, and no node is away for so long that it is taken for dead.
    init(
        seed: UInt64, mutation: Mutation? = nil, losesSettlements: Bool = false,
        isLagging: Bool = false
    ) {
        self.isLagging = isLagging
        self.seed = seed
        self.mutation = mutation
        kernel = SimulationKernel(seed: seed)
        let plan = SimulationPlan(&kernel.random)
        self.plan = isLagging ? plan.withoutDeaths : plan
        let directory = SimulatedDirectory(plan)
        var tables = directory.tables
        tables.mutation = mutation
        server = SimulatedServer(kernel, tables)
        server.losesAcknowledged = isLagging || mutation == .asynchronousFailover
        server.losesSettlements = losesSettlements || mutation == .asynchronousSettlements
        network = SimulatedNetwork(kernel, server)
        books = BookCheck(directory.tables)
        var settings = LedgerSettings(
            databaseURL: "", dataDirectory: "", models: [], backends: [], prices: [:])
        settings.tick = .milliseconds(100)
        settings.heartbeat = .milliseconds(500)
        // A node that is taken for dead is not waited for, and with a lagging standby nobody is dead.
        settings.fenceAfter = isLagging ? .seconds(30) : .seconds(3)
        settings.sweepEvery = .seconds(1)
        settings.settlementWait = .seconds(4)
        settings.drainWait = .seconds(5)
        self.settings = settings
        server.inspect = { [unowned self] tables in
            if let failure = books.failure(in: tables) { check(false, failure) }
        }
        network.tell = { [unowned self] event in tell(event()) }
        nodes = (0..<plan.nodes).map { SimulatedNode(self, number: Int64($0) + 1) }
        schedule(directory)
    }

    /// Notes a failure unless `condition` holds.
    func check(_ condition: Bool, _ failure: @autoclosure () -> String) {
        guard !condition else { return }
        tell("FAILURE \(failure())")
        failures.append("at \(kernel.now / 1000) ms: \(failure())")
    }

    /// Writes down what happens, if anybody wants to know.
    func tell(_ event: @autoclosure () -> String) {
        guard tells else { return }
        story.append("\(kernel.now) \(event())")
    }

    /// I1': what a client has is held or charged in the ledger at this moment, or it rides out an
    /// outage on its node's disk.
    func checkCovered(_ request: ClientRequest, _ journal: MemoryJournal?) {
        // Between a failover that loses and the retelling, the journal alone has it.
        if isLagging { return }
        check(
            books.covers(request, in: server.tables) || journal?.vouches(for: request.id) == true,
            "I1': \(request.id) has \(request.delivered) tokens that the ledger does not cover")
    }

    /// G3: what a client saw to its end is settled, in the ledger or on its node's disk.
    func checkKept(_ request: ClientRequest, _ journal: MemoryJournal?) {
        check(
            books.isSettled(request, in: server.tables)
                || journal?.closed.contains(request.id) == true,
            "G3: \(request.id) ended before its settlement was kept")
    }

    /// Runs everything. What was found wrong, if anything.
    func run() -> [String] {
        for node in nodes { node.start() }
        kernel.run(until: SimulationPlan.end) { !failures.isEmpty }
        heal()
        // Liveness: within 30 seconds everything is settled, and every lost node swept.
        let deadline = kernel.now + 30_000_000
        kernel.run(until: deadline) { [self] in !failures.isEmpty || isSettled }
        check(isSettled, "not settled 30 s after the last fault: \(unsettled)")
        tell("DRAIN")
        keepsNodesRunning = false
        for node in nodes { node.drain() }
        kernel.run(until: kernel.now + 12_000_000) { [self] in
            !failures.isEmpty || nodes.allSatisfy { !$0.isRunning }
        }
        check(nodes.allSatisfy { !$0.isRunning }, "a node does not stop")
        writeOff()
        check(server.tables.leases.isEmpty, "leases are left: \(server.tables.leases)")
        check(server.tables.lanes.values.allSatisfy { !$0.isLive }, "a lane is left open")
        let final = books.finalFailures(
            of: requests, in: server.tables, writtenOff: writtenOff)
        for failure in final { check(false, failure) }
        for node in nodes { node.kill() }
        kernel.runJobs()
        return failures
    }

    private var isSettled: Bool {
        requests.allSatisfy { $0.outcome != .running } && server.tables.reservations.isEmpty
            && server.tables.leases.values.allSatisfy { isHeldByNode($0.node, $0.epoch) }
            && server.tables.lanes.allSatisfy { !$0.value.isLive || running.contains($0.key) }
            && nodes.allSatisfy { $0.ledger?.isReady != false }
    }

    private var running: [Int64] { nodes.filter(\.isRunning).map(\.number) }

    /// Whether a lease is in use, or kept for the journal of a node that can come back.
    private func isHeldByNode(_ node: Int64, _ epoch: UInt128) -> Bool {
        running.contains(node) && server.tables.isLive(node, epoch)
            || lostNodes.contains(node)
    }

    private var unsettled: String {
        let open = requests.filter { $0.outcome == .running }.map(\.id)
        return "\(open) \(server.tables.reservations.keys.map(RequestID.init(rawValue:))) "
            + "\(server.tables.lanes) \(server.tables.leases)"
    }

    /// An operator gives up the leases that are kept for the journals of lost hosts.
    private func writeOff() {
        server.change { tables in
            for (id, lease) in tables.leases where lostNodes.contains(lease.node) && lease.rides {
                writtenOff[lease.account, default: 0] += lease.granted - lease.settled
                tables.leases[id] = nil
                tables.accounts[lease.account]?.used += lease.settled
                tables.accounts[lease.account]?.granted -= lease.granted - lease.settled
            }
        }
    }

    private func startAgain(_ node: SimulatedNode) {
        if !isHealed { node.start() }
    }

    private func heal() {
        isHealed = true
        keepsNodesRunning = true
        tell("HEAL")
        server.start()
        network.lossPercent = 0
        network.cutOff = []
        network.latency = 3000
        for node in nodes {
            node.process?.spare()
            node.resume()
            node.start()
        }
    }

    // MARK: The plan

    private func schedule(_ directory: SimulatedDirectory) {
        for planned in plan.requests {
            kernel.after(planned.time) { [unowned self] in
                let request = ClientRequest(
                    id: RequestID(
                        at: SimulatedProcess.origin + .microseconds(kernel.now),
                        random: (kernel.random.next(), kernel.random.next())),
                    principal: directory.principals[planned.key],
                    bound: TokenBound(prompt: planned.prompt, completion: planned.completion),
                    &kernel.random)
                requests.append(request)
                nodes[planned.node].take(request)
            }
        }
        for fault in plan.faults {
            kernel.after(fault.time) { [unowned self] in begin(fault, directory) }
        }
    }

    private func begin(_ planned: SimulationPlan.FaultAt, _ directory: SimulatedDirectory) {
        let node = nodes[planned.node]
        tell("FAULT \(planned.fault) node \(node.number) for \(planned.length)")
        let length = min(planned.length, SimulationPlan.end - kernel.now)
        switch planned.fault {
        case .kill, .loseHost, .losePower:
            guard let process = node.process else { return }
            // Between any two jobs of the process, not only when it is at rest.
            let jobs = process.isPaused ? 0 : kernel.random.below(8)
            if process.isPaused { process.resume() }
            process.dies(afterJobs: jobs) { [unowned self] in
                switch planned.fault {
                case .loseHost:
                    lostNodes.append(node.number)
                    node.loseHost()
                case .losePower: node.losePower()
                default: node.kill()
                }
                kernel.after(length) { [unowned self] in startAgain(node) }
            }
        case .pause:
            guard let process = node.process else { return }
            process.pause()
            kernel.after(length) { process.resume() }
        case .serverCrash, .failOver:
            server.crash()
            if planned.fault == .failOver { server.failOver() }
            kernel.after(length) { [unowned self] in server.start() }
        case .cutOff:
            guard let process = node.process else { return }
            network.cutOff.insert(ObjectIdentifier(process))
            kernel.after(length) { [unowned self] in
                network.cutOff.remove(ObjectIdentifier(process))
            }
        case .flaky:
            network.lossPercent = 30
            kernel.after(length) { [unowned self] in network.lossPercent = 0 }
        case .slow:
            network.latency = 400_000
            kernel.after(length) { [unowned self] in network.latency = 3000 }
        case .changeLimit:
            let limit = Int64(kernel.random.below(200))
            directory.change(planned.node, to: limit, in: server)
            books.raise(to: server.tables)
        case .revokeKey:
            server.change { $0.keys[directory.keyNumber(planned.node)] = false }
        case .drain:
            node.drain()
            kernel.after(length + 5_500_000) { [unowned self] in startAgain(node) }
        case .clockJump:
            node.process?.wallError += 86_400_000_000
        }
    }
}
