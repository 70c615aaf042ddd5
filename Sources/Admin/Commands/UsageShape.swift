import ArgumentParser
import Ledger

/// How a usage report is laid out: what its rows are, and what is shown of them.
struct UsageShape: ParsableArguments {
    private static let groupings = "day, hour, month, model, team, key, tag or end-state"

    @Option(
        help: ArgumentHelp("What a row stands for: \(groupings).", valueName: "grouping"),
        transform: { text in
            guard let grouping = UsageQuery.Grouping(rawValue: text) else {
                throw ValidationError("give \(groupings)")
            }
            return grouping
        })
    var by: UsageQuery.Grouping?
    @Option(
        help: ArgumentHelp("Only the largest rows, the others in one.", valueName: "rows"))
    var top: Int?
    @Option(
        help: ArgumentHelp(
            "By what rows are measured: tokens, cost, requests or failed.", valueName: "measure"),
        transform: { text in
            guard let rank = UsageRank(rawValue: text) else {
                throw ValidationError("give tokens, cost, requests or failed")
            }
            return rank
        })
    var rank: UsageRank?
    @Flag(help: "Set it against the span of the same length before.")
    var compare = false
    @Flag(help: "How long requests took: percentiles.")
    var latency = false
    @Option(
        help: ArgumentHelp(
            "bars, none, or heatmap: a row for each day, a square for each hour.",
            valueName: "chart"),
        transform: { text in
            guard let chart = UsageChart(rawValue: text) else {
                throw ValidationError("give bars, heatmap or none")
            }
            return chart
        })
    var chart: UsageChart?
    @Flag(help: "Show it again and again, until it is ended with Ctrl-C.")
    var watch = false
    @Option(
        help: ArgumentHelp(
            "How often --watch shows it. Default: 2.", valueName: "seconds"))
    var every: Int?

    /// The first option that was given, by its name; nil where none was.
    var firstGiven: String? {
        let given: [(String, Bool)] = [
            ("--by", by != nil), ("--top", top != nil), ("--rank", rank != nil),
            ("--compare", compare), ("--latency", latency), ("--chart", chart != nil),
            ("--watch", watch), ("--every", every != nil),
        ]
        return given.first { $0.1 }?.0
    }

    /// What a row stands for: a day, unless it is said.
    var grouping: UsageQuery.Grouping { chart == .heatmap ? .hour : by ?? .day }

    /// Seconds between two pictures.
    var pause: Int { every ?? 2 }

    /// Checks what does not go together, for a report in `format`.
    func check(_ format: OutputFormat) throws {
        if !(1...3600).contains(pause) { throw ValidationError("--every is 1 to 3600 seconds.") }
        if watch, format != .table {
            throw ValidationError("--watch shows a table: leave out --format.")
        }
        if let top, top < 1 { throw ValidationError("--top is at least 1.") }
        if chart == .heatmap, compare || top != nil || (by ?? .day) != .day {
            throw ValidationError(
                "A heat map is of days and hours: leave out --by, --top and --compare.")
        }
        if latency, compare || top != nil || rank != nil || chart != nil || watch {
            throw ValidationError(
                "--latency is of times, not of amounts: leave out --top, --rank, --compare, --chart"
                    + " and --watch.")
        }
        if by == .tag, watch {
            throw ValidationError(
                "A key counts under each of its tags, so their rates say nothing: leave out --watch."
            )
        }
    }
}
