import Domain
import TestSupport
import Testing

@testable import Gateway

@Suite struct EngineFairness {
    private static let seeds: Range<UInt64> = 1..<101

    @Test func `while two teams want more, their slot time differs by a few calls at most`() {
        for seed in Self.seeds {
            var world = SlotWorld<EngineSlotQueue>(seed: seed)
            world.run(calls: 1000)
            let (drift, bound) = (world.drift["0-1"] ?? .max, world.bound(0, 1))
            #expect(drift <= bound, "seed \(seed): \(drift) µs a share, \(world.loads)")
        }
    }

    @Test func `the order of asking alone keeps no such promise`() {
        let broken = Self.seeds.filter { seed in
            var world = SlotWorld<FirstComeDivider>(seed: seed)
            world.run(calls: 1000)
            return world.drift["0-1"] ?? 0 > world.bound(0, 1)
        }
        // The test above can fail.
        #expect(broken.count == Self.seeds.count)
    }
}
