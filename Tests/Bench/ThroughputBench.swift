import Domain
import Ledger

/// Requests opened and closed per second, and what they cost the server, by batch size.
struct ThroughputBench {
    let seconds: Double
    let postmaster: Int
    private static let runs = 3

    func run() async throws {
        print("\nLedger: 1,000 keys, 100 teams, one organization; leases of all three; one node.")
        print(
            "  batch      req/s (lowest-highest)   server CPU   own CPU   WAL each  "
                + "account changes each")
        let sizes = CommandLine.arguments.dropFirst(4).compactMap(Int.init)
        for batch in sizes.isEmpty ? [1, 8, 64, 256, 1024] : sizes {
            try await run(batch, open: 0)
        }
        print("  with 10,000 more requests open all the while:")
        try await run(256, open: 10_000)
    }

    /// Measures batches of `batch` rows while `open` other requests are open.
    private func run(_ batch: Int, open: Int) async throws {
        let books = try BenchBooks()
        try await BenchNode.run(1, on: books, change: { $0.batchLimit = batch }) { nodes in
            // Four batches' worth of clients: one in flight, one gathering, for both kinds of row.
            let loop = ClosedLoop(books: books, nodes: nodes, clients: max(8, 4 * batch))
            let everyKey: @Sendable (Int) -> Principal = {
                books.principals[$0 % books.principals.count]
            }
            var streams: [ReservationBox] = []
            // Not all at once: who stands in line for a lease is bounded too.
            while streams.count < open {
                streams += try await loop.open(1000, choose: everyKey)
            }
            _ = try await loop.run(seconds: max(seconds, 2), choose: everyKey)
            var rates: [Double] = []
            var requests = 0.0
            let before = try ServerGauge(books, postmaster: postmaster)
            for _ in 0..<Self.runs {
                let outcome = try await loop.run(seconds: seconds, choose: everyKey)
                rates.append(outcome.rate)
                requests += Double(outcome.requests)
            }
            let after = try ServerGauge(books, postmaster: postmaster)
            report(batch, open: open, Spread(rates), requests, before, after)
            try await loop.close(streams)
        }
    }

    private func report(
        _ batch: Int, open: Int, _ rates: Spread, _ requests: Double, _ before: ServerGauge,
        _ after: ServerGauge
    ) {
        let server = (after.processor - before.processor) / requests
        let log = (after.log - before.log) / requests
        let cells = [
            Figure.left("\(batch)", 7),
            Figure.left(
                "\(Figure.number(rates.median)) (\(Figure.number(rates.lowest))"
                    + "-\(Figure.number(rates.highest)))", 24),
            Figure.left("\(Figure.number(server)) us", 14),
            Figure.left("\(Figure.number((after.own - before.own) / requests)) us", 9),
            Figure.left("\(Figure.number(log)) B", 10),
            Figure.left(
                Figure.number((after.accountChanges - before.accountChanges) / requests), 12),
        ]
        print(cells.joined(separator: " "))
        guard batch == 256, open == 0 else { return }
        Figure.atLeast(
            10_000, "requests opened and closed, B=256", rates.median, "/s",
            "(\(Figure.number(rates.lowest))-\(Figure.number(rates.highest)))")
        Figure.atMost(60, "server CPU per request, B=256", server, "us")
        Figure.atMost(1200, "WAL per request, B=256", log, "B")
    }
}
