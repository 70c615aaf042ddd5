import Foundation
import Ledger

/// Measures the ledger over a Postgres of its own: `deploy/bench ledger` builds and runs it. Prints
/// each figure beside its goal.
@main struct LedgerBench {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let part = arguments.first,
            let seconds = arguments.dropFirst().first.flatMap(Double.init),
            let postmaster = arguments.dropFirst(2).first.flatMap(Int.init)
        else {
            print(
                "usage: LedgerBench decision|throughput|hot SECONDS POSTMASTER-PID [BATCH-SIZE...]")
            exit(2)
        }
        switch part {
        case "decision": try await DecisionBench.run()
        case "throughput":
            try await ThroughputBench(seconds: seconds, postmaster: postmaster).run()
        case "hot": try await HotKeyBench(seconds: seconds, postmaster: postmaster).run()
        default: exit(2)
        }
    }
}
