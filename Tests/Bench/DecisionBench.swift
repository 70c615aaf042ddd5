import Domain
import Ledger

/// The admission decision: rate limits, leases of key, team and organization, the journal's opening
/// and the lane's queue, through the ledger's public door. One thread, a real ledger behind it.
enum DecisionBench {
    private static let burst = 64
    private static let rounds = 800
    private static let warmUp = 200

    static func run() async throws {
        let books = try BenchBooks()
        try await BenchNode.run(1, on: books) { nodes in
            var times: [Double] = []
            var allocations: [Double] = []
            let counter = AllocationCounter()
            times.reserveCapacity(burst * rounds)
            allocations.reserveCapacity(burst * rounds)
            for round in 0..<(warmUp + rounds) {
                let measured = try await measure(
                    books, nodes[0].ledger, round: round, counter: counter)
                guard round >= warmUp else { continue }
                times += measured.times
                allocations += measured.allocations
            }
            report(Spread(times), allocations: counter.map { _ in Spread(allocations) })
        }
    }

    /// One burst of requests, admitted one after the other, then settled together.
    private static func measure(
        _ books: BenchBooks, _ ledger: PostgresQuotaLedger, round: Int, counter: AllocationCounter?
    ) async throws -> (times: [Double], allocations: [Double]) {
        // Ten keys of ten teams: their leases are warm, as a busy key's are.
        let requests = (0..<burst).map { books.request(books.principals[$0 % 10]) }
        var boxes: [ReservationBox] = []
        var times: [Double] = []
        var allocations: [Double] = []
        boxes.reserveCapacity(burst)
        times.reserveCapacity(burst)
        allocations.reserveCapacity(burst)
        for request in requests {
            let allocated = counter?.now ?? 0
            let begun = ProcessorTime.nanoseconds
            let admission = try await ledger.admit(request)
            let ended = ProcessorTime.nanoseconds
            let more = (counter?.now ?? 0) &- allocated
            // After a wait the task may be on another thread, whose count means nothing here.
            if more < 1000 { allocations.append(Double(more)) }
            times.append(Double(ended - begun) / 1000)
            switch consume admission {
            case .admitted(let reservation): boxes.append(ReservationBox(reservation))
            case .denied(let denial): throw BenchFailure("denied: \(denial)")
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for box in boxes {
                group.addTask {
                    guard let reservation = box.take() else { return }
                    _ = try await ledger.acceptance(of: reservation)
                    _ = try await ledger.settle(reservation, as: BenchBooks.settlement)
                }
            }
            try await group.waitForAll()
        }
        return (times, allocations)
    }

    private static func report(_ times: Spread, allocations: Spread?) {
        let more =
            "(p90 \(Figure.number(times.quantile(0.9))), p99.9 "
            + "\(Figure.number(times.quantile(0.999))), highest \(Figure.number(times.highest)))"
        Figure.atMost(10, "admission decision, p50", times.median, "us", more)
        Figure.atMost(50, "admission decision, p99", times.quantile(0.99), "us")
        guard let allocations else { return }
        // What is left is no steady state: a lease that is ordered, a table that grows.
        Figure.atMost(
            0, "allocations per decision, p99", allocations.quantile(0.99), "",
            "(mean \(Figure.number(allocations.mean)))")
    }
}

/// The measurement cannot go on.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
