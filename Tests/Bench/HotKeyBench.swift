import Domain

/// Every request on the same key, team and organization, against requests spread over 1,000 keys.
struct HotKeyBench {
    let seconds: Double
    let postmaster: Int
    private static let runs = 3
    private static let clients = 512

    func run() async throws {
        print("\nOne hot key against 1,000 keys, \(Self.clients) clients, end to end:")
        for nodes in [1, 2, 3] { try await run(nodes: nodes) }
        print(
            "        anchor: another gateway's Postgres limiter on one key takes 26.5 ms at the "
                + "median and 192.7 ms at p99")
    }

    private func run(nodes count: Int) async throws {
        let books = try BenchBooks()
        try await BenchNode.run(count, on: books) { nodes in
            let loop = ClosedLoop(books: books, nodes: nodes, clients: Self.clients)
            let many: @Sendable (Int) -> Principal = {
                books.principals[$0 % books.principals.count]
            }
            let hot: @Sendable (Int) -> Principal = { _ in books.principals[0] }
            _ = try await loop.run(seconds: max(1, seconds), choose: many)
            _ = try await loop.run(seconds: max(1, seconds / 2), choose: hot)
            var spread: [Double] = []
            var single: [Double] = []
            var latest = ClosedLoop.Outcome()
            // In turns, so that what else the machine does meets both alike.
            for _ in 0..<Self.runs {
                spread.append(try await loop.run(seconds: seconds, choose: many).rate)
                latest = try await loop.run(seconds: seconds, choose: hot)
                single.append(latest.rate)
            }
            report(count, hot: Spread(single), many: Spread(spread), latest)
        }
    }

    private func report(
        _ nodes: Int, hot: Spread, many: Spread, _ latest: ClosedLoop.Outcome
    ) {
        let name = nodes == 1 ? "1 node" : "\(nodes) nodes"
        Figure.atLeast(
            80, "hot key against many, \(name)", hot.median / many.median * 100, "%",
            "(\(Self.rates(hot)) against \(Self.rates(many)) requests/s)")
        let admissions = Spread(latest.admissions)
        let acceptances = Spread(latest.acceptances)
        Figure(
            name: "  admission on the hot key, \(name)", goal: "", isMet: nil,
            text: "\(Figure.number(admissions.median)) us p50, "
                + "\(Figure.number(admissions.quantile(0.99))) us p99; accepted by the ledger "
                + "\(Figure.number(acceptances.median / 1000)) ms p50, "
                + "\(Figure.number(acceptances.quantile(0.99) / 1000)) ms p99"
        ).print()
    }

    private static func rates(_ spread: Spread) -> String {
        "\(Figure.number(spread.median)) (\(Figure.number(spread.lowest))-"
            + "\(Figure.number(spread.highest)))"
    }
}
