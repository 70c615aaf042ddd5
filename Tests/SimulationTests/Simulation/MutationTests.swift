import Testing

/// The simulation is only as good as what it finds: each thing done wrong must be found out.
@Suite(.serialized) struct MutationTests {
    /// How many seeds a mistake may hide from.
    private static let most = UInt64(10_000)

    @Test(arguments: Mutation.allCases)
    func `a mistake is found out`(_ mutation: Mutation) {
        for seed in 0..<Self.most {
            let isLagging = mutation == .grantsUnconfirmed
            let broken = Simulation(seed: seed, mutation: mutation, isLagging: isLagging)
            guard let failure = broken.run().first else {
                continue
            }
            // The mistake's own doing, and not what the seed finds anyway.
            #expect(Simulation(seed: seed, isLagging: isLagging).run() == [], "seed \(seed)")
            print("\(mutation.rawValue): found after \(seed + 1) seeds: \(failure.prefix(120))")
            return
        }
        Issue.record("\(mutation.rawValue) hides from \(Self.most) seeds")
    }
}
