import Foundation
import Testing

/// The product's node over a simulated ledger, disk, network and clock, seed by seed.
///
/// To see one seed's story: `TURNPIKE_SIMULATION_SEED=42 swift test --filter SimulationTests`.
@Suite(.serialized) struct SimulationTests {
    private static let chosen = ProcessInfo.processInfo.environment["TURNPIKE_SIMULATION_SEED"]
        .flatMap(UInt64.init)

    @Test(.enabled(if: chosen == nil)) func `no seed loses, doubles or overshoots`() {
        let clock = ContinuousClock()
        let start = clock.now
        var steps = 0
        let seeds = UInt64(200 * SimulationScale.factor)
        for seed in 0..<seeds {
            let simulation = Simulation(seed: seed)
            if let failure = simulation.run().first {
                Issue.record("seed \(seed): \(failure)")
            }
            steps += simulation.kernel.steps
        }
        print("\(seeds) seeds, \(steps) steps in \(clock.now - start)")
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
        let simulation = Simulation(seed: try #require(Self.chosen))
        simulation.tells = true
        let failures = simulation.run()
        print(simulation.story.joined(separator: "\n"))
        #expect(failures == [])
    }
}
