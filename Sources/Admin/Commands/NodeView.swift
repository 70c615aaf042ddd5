import Domain
import Ledger

/// Nodes as people and programs see them.
enum NodeView {
    /// The fields of a node for programs.
    static let names = [
        "node_id", "state", "shards", "last_beat_at", "silent_seconds", "open_requests", "leases",
        "leased_tokens", "leased_requests", "leased_cost_nanousd",
    ]

    // Ids are strings: they have 63 random bits, and many readers of JSON keep only 53 of a number.
    /// A node for programs.
    static func record(_ node: NodeStatus) -> Record {
        Record(
            names,
            [
                .text(String(node.node)), .text(node.state.rawValue),
                .integer(Int64(node.shards.count)), .text(TimeText.iso(node.lastBeat)),
                .integer(node.silence.components.seconds), .integer(node.openRequests),
                .integer(node.leases),
            ] + Resource.allCases.map { .integer(node.leased[$0] ?? 0) })
    }

    /// A write-off for programs.
    static func record(_ node: Int64, _ returned: WriteOff.Returned) -> Record {
        Record(
            [
                "node_id", "swept_requests", "ended_leases", "returned_tokens",
                "returned_requests", "returned_cost_nanousd",
            ],
            [
                .text(String(node)), .integer(returned.sweptRequests), .integer(returned.leases),
            ] + Resource.allCases.map { .integer(returned.units[$0] ?? 0) })
    }

    /// Every node on a line, and what to do about what dead ones hold.
    static func table(_ nodes: [NodeStatus], _ desk: AdminDesk) -> [String] {
        let lines = desk.tables.lines(
            columns: [
                .whole("Node"), .whole("State"), .whole("Silent since"),
                .number("Shards", droppedAt: 1), .number("Open"), .text("Leased", minimum: 18),
            ],
            rows: nodes.map { node in
                [
                    .text(String(node.node)), .text(node.state.rawValue),
                    .text(node.state == .live ? "" : TimeText.short(node.lastBeat)),
                    .text(NumberText.grouped(Int128(node.shards.count))),
                    .text(NumberText.grouped(Int128(node.openRequests))),
                    .text(amounts(node.leased)),
                ]
            }, totals: nil)
        guard nodes.contains(where: { $0.state == .fenced && $0.leases > 0 }) else { return lines }
        let hint =
            "What a fenced node holds is kept for its journal: start it again on its disk, or, if"
            + " that is lost, see `turnpike admin node write-off --help`."
        return lines + TextWrap.lines(hint, width: desk.output.width)
    }

    /// `2 leases with 5,000 tokens`.
    static func leases(_ count: Int64, _ units: [Resource: Int64]) -> String {
        let number = NumberText.grouped(Int128(count)) + (count == 1 ? " lease" : " leases")
        return units.isEmpty ? number : "\(number) with \(amounts(units))"
    }

    /// `3 open requests`.
    static func requests(_ count: Int64) -> String {
        NumberText.grouped(Int128(count)) + (count == 1 ? " open request" : " open requests")
    }

    /// `5,000 tokens, 3 requests, $0.50`.
    private static func amounts(_ units: [Resource: Int64]) -> String {
        Resource.allCases.compactMap { resource -> String? in
            guard let amount = units[resource], amount > 0 else { return nil }
            guard resource == .cost else {
                let word = amount == 1 ? String(resource.name.dropLast()) : resource.name
                return "\(NumberText.grouped(Int128(amount))) \(word)"
            }
            let decimals = NumberText.neededDecimals(nanoUSD: Int128(amount))
            return "$"
                + NumberText.dollars(nanoUSD: Int128(amount), decimals: decimals, grouping: true)
        }.joined(separator: ", ")
    }
}
