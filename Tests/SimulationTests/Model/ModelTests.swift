import Foundation
import Testing

/// The cases of `ledger_model.py`, with its verdicts and its numbers of states: two programs that
/// count the same states have the same model.
@Suite struct ModelTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let states: Int
        /// Nil when the variant breaks a promise.
        var transitions: Int?
        var violation: String?
        var change: @Sendable (inout ModelOptions) -> Void = { _ in }

        var testDescription: String { name }
    }

    static let holding = [
        Case(
            name: "A1 accepted before the first byte, synchronous, reclaim at once",
            states: 33_569, transitions: 89_686),
        Case(name: "A4 the same with three nodes", states: 56_416, transitions: 167_850) {
            ($0.nodes, $0.diskLosses, $0.lostGrants) = (3, 0, 0)
        },
        Case(name: "A5 the end released on the journal", states: 22_887, transitions: 63_802) {
            ($0.releasesEndEarly, $0.diskLosses) = (true, 0)
        },
        Case(name: "A2 closes asynchronous, no disk lost", states: 64_353, transitions: 180_570) {
            ($0.closesAsynchronously, $0.diskLosses) = (true, 0)
        },
        Case(name: "E1 outage mode, reclaim on confirmation", states: 57_993, transitions: 203_436)
        { ($0.rides, $0.reclaimsOnConfirmation, $0.diskLosses) = (true, true, 0) },
        Case(
            name: "C2 all asynchronous, reclaim on confirmation", states: 292_269,
            transitions: 1_016_328
        ) { ($0.isSynchronous, $0.reclaimsOnConfirmation, $0.diskLosses) = (false, true, 0) },
        Case(
            name: "E3 outage mode and all asynchronous, reclaim on confirmation",
            states: 269_824, transitions: 1_237_092
        ) {
            ($0.rides, $0.isSynchronous, $0.reclaimsOnConfirmation) = (true, false, true)
            ($0.diskLosses, $0.lostGrants) = (0, 0)
        },
    ]

    static let broken = [
        Case(
            name: "A6 the end released on the journal, disk lost", states: 3745,
            violation: "I3: finished but inexact rid=0"
        ) { $0.releasesEndEarly = true },
        Case(
            name: "A3 closes asynchronous, disk lost and failover", states: 10_760,
            violation: "I3: finished but inexact rid=0"
        ) { $0.closesAsynchronously = true },
        Case(
            name: "B1 all asynchronous, reclaim at once", states: 6049,
            violation: "I1: granted 5 > limit"
        ) { ($0.isSynchronous, $0.diskLosses) = (false, 0) },
        Case(
            name: "D1 outage mode, reclaim at once", states: 1572,
            violation: "I1: granted 5 > limit"
        ) { ($0.rides, $0.diskLosses) = (true, 0) },
        Case(
            name: "F1 expiry voids", states: 1879, violation: "I1: granted 5 > limit"
        ) { ($0.expiryCharges, $0.diskLosses) = (false, 0) },
        Case(
            name: "F2 expiry voids, disk lost", states: 1608,
            violation: "lost usage (disk lost) rid=0 0<1"
        ) { $0.expiryCharges = false },
        Case(
            name: "G1 no gate before the first byte", states: 1572,
            violation: "I1: granted 5 > limit"
        ) { ($0.hasGates, $0.diskLosses) = (false, 0) },
        Case(
            name: "G2 no gate before the first byte, disk lost", states: 546,
            violation: "lost usage: 1 delivered, write-off 0"
        ) { $0.hasGates = false },
        Case(
            name: "H1 no look at the epoch", states: 819,
            violation: "orphan reservation left behind a fence"
        ) { $0.checksEpoch = false },
    ]

    @Test(arguments: holding)
    func `a sound variant holds in every state that it can reach`(_ variant: Case) {
        expect(variant)
    }

    @Test(arguments: broken)
    func `an unsound variant is found out by the shortest trace`(_ variant: Case) {
        expect(variant)
    }

    /// The larger scope of the design: two requests a node, two kills, two fences.
    @Test(.enabled(if: SimulationScale.isLong))
    func `two requests a node, two kills and two fences hold`() {
        let options = ModelOptions { ($0.requests, $0.kills, $0.sweeps) = (2, 2, 2) }
        let outcome = ModelSearch.run(options)
        #expect(outcome.states == 3_918_943)
        #expect(outcome.violation == nil, "\(outcome.trace)")
    }

    private func expect(_ variant: Case) {
        let outcome = ModelSearch.run(ModelOptions(variant.change))
        #expect(outcome.states == variant.states)
        #expect(outcome.transitions == variant.transitions)
        #expect(outcome.violation == variant.violation, "\(outcome.trace)")
    }
}
