import Domain
import Logging

@testable import Ledger

/// A gateway's host: a disk, and the process that runs on it, life after life.
// Unchecked: a simulation runs on one thread from its first job to its last.
final class SimulatedNode: @unchecked Sendable {
    private let simulation: Simulation
    private let kernel: SimulationKernel
    private(set) var number: Int64
    private(set) var disk = SimulatedDisk()
    private(set) var process: SimulatedProcess?
    private(set) var ledger: PostgresQuotaLedger?
    private(set) var journal: MemoryJournal?
    private var pools: [SimulatedPool] = []
    private var task: Task<Void, Never>?
    /// Requests of the running process, and of this disk.
    private var requests: [ClientRequest] = []
    private var disksRequests: [ClientRequest] = []

    init(_ simulation: Simulation, number: Int64) {
        self.simulation = simulation
        kernel = simulation.kernel
        self.number = number
    }

    var isRunning: Bool { process != nil }

    /// Starts a process on the disk as it is.
    func start() {
        guard process == nil else { return }
        let process = SimulatedProcess(kernel, name: "node \(number)")
        process.wallError = simulation.plan.wallError
        let journal = MemoryJournal(disk, process, simulation.mutation)
        let pools = [
            SimulatedPool(process, simulation.network, connections: 2),
            SimulatedPool(process, simulation.network, connections: 2),
        ]
        let parts = LedgerParts(
            node: number, journal: journal,
            clock: LedgerClock(process) { await process.pause($0) },
            pools: LedgerPools(lanes: pools[0], clerks: pools[1], orders: OrderQueue()),
            release: {}, shutdown: { await process.untilTerminated() })
        var logger = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let ledger = PostgresQuotaLedger(
            simulation.settings, parts, random: LedgerRandom { process.draw() }, logger: logger)
        self.process = process
        self.journal = journal
        self.ledger = ledger
        self.pools = pools
        task = Task(executorPreference: process) { [self] in
            do {
                try await ledger.run()
            } catch {
                simulation.check(process.isDead, "a node refused to start: \(error)")
            }
            // Asked to stop, and done with it: whoever still waits is cut off, as at any exit.
            guard self.process === process else { return }
            kill()
            if simulation.keepsNodesRunning { start() }
        }
    }

    private func stopped() {
        process = nil
        ledger = nil
    }

    /// A client's request comes in.
    func take(_ request: ClientRequest) {
        guard let process, let ledger else {
            request.outcome = .refused("connection refused")
            return
        }
        requests.append(request)
        disksRequests.append(request)
        let gateway = SimulatedGateway(
            simulation: simulation, node: self, process: process, ledger: ledger,
            request: request)
        let task = Task(executorPreference: process) { await gateway.serve() }
        if let leavesAfter = request.leavesAfter {
            kernel.after(leavesAfter) {
                guard request.outcome == .running else { return }
                request.hasLeft = true
                process.deliver { task.cancel() }
            }
        }
    }

    /// SIGKILL: the process is gone, the disk stays.
    func kill() {
        guard let process else { return }
        stopped()
        journal?.detach()
        for request in requests where request.outcome == .running { request.outcome = .cut }
        requests = []
        process.kill()
        for pool in pools { pool.kill() }
        task?.cancel()
    }

    /// The host is gone for good; what starts here next is another node.
    func loseHost() {
        kill()
        for request in disksRequests { request.lostItsDisk = true }
        disksRequests = []
        disk = SimulatedDisk()
        number += 1000
    }

    /// The power goes and comes back: the disk has what was flushed, and perhaps more.
    func losePower() {
        kill()
        for request in disksRequests { request.lostItsMemory = true }
        disk.losePower(&kernel.random)
    }

    func pause() { process?.pause() }
    func resume() { process?.resume() }

    /// SIGTERM.
    func drain() { process?.terminate() }
}
