import Foundation
import Testing

/// The product's node over a simulated ledger, disk, network and clock, seed by seed.
///
/// To see one seed's story: `TURNPIKE_SIMULATION_SEED=42 swift test --filter SimulationTests`, with
/// `TURNPIKE_SIMULATION_LAGGING=yes` over a standby that lags.
@Suite(.serialized) struct SimulationTests {
    private static let chosen = ProcessInfo.processInfo.environment["TURNPIKE_SIMULATION_SEED"]
        .flatMap(UInt64.init)

    @Test(.enabled(if: chosen == nil)) func `no seed loses, doubles or overshoots`() {
        let clock = ContinuousClock()
        let start = clock.now
        var steps = 0
        let seeds = UInt64(2000 * SimulationScale.factor)
        for seed in 0..<seeds {
            let simulation = Simulation(seed: seed)
            if let failure = simulation.run().first {
                Issue.record("seed \(seed): \(failure)")
            }
            steps += simulation.kernel.steps
        }
        print("\(seeds) seeds, \(steps) steps in \(clock.now - start)")
    }

    /// Seeds that once found something, in the product or in the simulation.
    @Test(arguments: [0, 71, 99, 116, 316, 617, 819, 1131, 1711] as [UInt64])
    func `a seed that once failed holds`(_ seed: UInt64) {
        let failures = Simulation(seed: seed).run()
        #expect(failures == [])
    }

    /// An administrator may run settlements asynchronously: the journal repeats what a failover loses.
    @Test(.enabled(if: chosen == nil)) func `settlements that a failover loses are told again`() {
        for seed in 0..<UInt64(1000 * SimulationScale.factor) {
            let failures = Simulation(seed: seed, losesSettlements: true).run()
            #expect(failures == [], "seed \(seed)")
        }
    }

    /// With a standby that lags, too: nothing is granted before every node has told what it lacks.
    @Test(.enabled(if: chosen == nil))
    func `what a failover to a lagging standby loses is told again`() {
        for seed in 0..<UInt64(1000 * SimulationScale.factor) {
            let failures = Simulation(seed: seed, isLagging: true).run()
            #expect(failures == [], "seed \(seed)")
        }
    }

    @Test func `a seed repeats itself, step by step`() {
        for seed in 0..<UInt64(20) {
            let (first, second) = (Simulation(seed: seed), Simulation(seed: seed))
            _ = first.run()
            _ = second.run()
            #expect(first.kernel.steps == second.kernel.steps, "seed \(seed)")
            let same = first.kernel.random.next() == second.kernel.random.next()
            #expect(same, "seed \(seed)")
        }
    }

    @Test(.enabled(if: chosen != nil)) func `the chosen seed holds`() throws {
        let isLagging = ProcessInfo.processInfo.environment["TURNPIKE_SIMULATION_LAGGING"] != nil
        let simulation = Simulation(seed: try #require(Self.chosen), isLagging: isLagging)
        simulation.tells = true
        let failures = simulation.run()
        print(simulation.story.joined(separator: "\n"))
        #expect(failures == [])
    }
}
