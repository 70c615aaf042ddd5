import ArgumentParser
import Domain
import Ledger

/// `admin reconcile`.
struct ReconcileCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "Hold a provider's usage export against the ledger.",
        discussion: """
            FILE is what OpenAI or Anthropic say was used: the CSV of their usage or cost page, or the saved JSON answers \
            of their usage or cost API, grouped by model (several pages may follow each other). It is read in pieces, so \
            its size does not matter; - is standard input.

            Compared are requests, tokens of each class and costs, by UTC day or hour and by the upstream's model, over \
            all organizations: the records of the backends, calls in vain that are known to have used tokens, fees and \
            corrections. A provider may count a request around midnight to the day after: see --tolerance.

            Ends with status 4 when something is missing on a side, differs, or could not be read. JSON and CSV have every \
            amount; those without a time are the totals.

            Example:
              turnpike admin reconcile completions_usage_2026-11-01_2026-11-30.csv
              turnpike admin reconcile report.json --backend claude --tolerance 0.1%
            """)

    @Argument(help: "The provider's export.", completion: .file())
    var file: String
    @Option(
        help: ArgumentHelp(
            "A backend that the provider's account pays for; may be repeated. Default: the only one of its kind.",
            valueName: "name"))
    var backend: [String] = []
    @Option(
        help: ArgumentHelp("Compare by day or hour.", valueName: "step"),
        transform: { text in
            guard let step = BackendUsageQuery.Step(rawValue: text) else {
                throw ValidationError("give day or hour")
            }
            return step
        })
    var by: BackendUsageQuery.Step = .day
    @Option(
        help: ArgumentHelp(
            "The beginning: 7d or a date. Default: the export's.", valueName: "when"),
        transform: TimeArgument.read)
    var since: TimeArgument?
    @Option(
        help: ArgumentHelp("The end, likewise.", valueName: "when"), transform: TimeArgument.read)
    var until: TimeArgument?
    @Option(
        help: ArgumentHelp(
            "How far amounts may be apart: 25 for requests and tokens, or 0.5% of the larger.",
            valueName: "amount"),
        transform: { text in
            guard let tolerance = Tolerance.parse(text) else {
                throw ValidationError("give a whole number such as 25, or a share such as 0.5%")
            }
            return tolerance
        })
    var tolerance: Tolerance = .none
    @Option(
        help: ArgumentHelp(
            "The upstream model that a name in the export stands for; may be repeated.",
            valueName: "theirs=ours"),
        transform: { text in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw ValidationError("give a pair such as gpt-4o-2024-08-06=gpt-4o")
            }
            return Rename(theirs: parts[0], ours: parts[1])
        })
    var model: [Rename] = []
    @Flag(help: "Show what matches too.")
    var all = false
    @OptionGroup var options: AdminOptions

    /// A name in the export and the one here.
    struct Rename: Equatable {
        let theirs: String
        let ours: String
    }

    func execute(_ desk: AdminDesk) throws {
        let tally =
            if let sent = desk.file {
                try ExportFile.read(sent, step: by)
            } else {
                try ExportFile.read(file, step: by)
            }
        let backends = try backends(of: tally, desk)
        let range = try range(of: tally, try desk.ledger.time())
        let usage = try desk.ledger.backendUsage(
            BackendUsageQuery(
                backends: backends.map(\.name), since: range.lowerBound, until: range.upperBound,
                step: by))
        if let day = usage.droppedDays.max() {
            throw AdminFailure.refused(
                "The records of \(day) and earlier were dropped, and what is left does not tell"
                    + " backends apart.", advice: "Compare from --since \(day.next) on.")
        }
        let names = Dictionary(backends.map { ($0.name, $0.upstreamModels) }) { first, _ in first }
        let result = Reconciliation(
            tally, usage, range: range,
            upstream: { alias, backend in names[backend]?[alias] ?? alias },
            renames: Dictionary(model.map { ($0.theirs, $0.ours) }) { _, last in last },
            tolerance: tolerance)
        let view = ReconcileView(
            reconciliation: result, tally: tally, usage: usage, range: range,
            backends: backends.map(\.name), showsAll: all, output: desk.output)
        try desk.answer(view.records, names: ReconcileView.names) { view.lines }
        try conclude(result, tally, desk)
    }

    /// The backends to compare with: those named, else the only one of the provider's kind.
    private func backends(
        of tally: ExportTally, _ desk: AdminDesk
    ) throws(AdminFailure) -> [BackendEntry] {
        let known = desk.ledger.backends()
        let kind = tally.format?.backendKind ?? ""
        if backend.isEmpty {
            let fitting = known.filter { $0.kind == kind }
            if fitting.count == 1 { return fitting }
            let names = fitting.map(\.name).joined(separator: ", ")
            throw .wrongUsage(
                "The configuration has \(fitting.isEmpty ? "no backend" : "several backends") of"
                    + " kind \(kind).",
                advice: fitting.isEmpty
                    ? "Name the backend that the export is about with --backend NAME."
                    : "Name those that the export's account pays for with --backend: \(names).")
        }
        // A backend that is no longer configured may still have records: no reason to refuse.
        return backend.map { name in
            known.first { $0.name == name }
                ?? BackendEntry(name: name, kind: kind, upstreamModels: [:])
        }
    }

    private func range(
        of tally: ExportTally, _ now: Timestamp
    ) throws(AdminFailure) -> Range<Timestamp> {
        func edge(_ instant: Timestamp) -> Timestamp {
            by == .day ? instant.day.start : instant.startOfHour
        }
        guard let first = since?.beforeExactly(now) ?? tally.since,
            let last = until?.beforeExactly(now) ?? tally.until
        else {
            throw .refused(
                "The export has no row with a time, so nothing says what it is about.",
                advice: "Give --since and --until, or export again.")
        }
        let start = edge(first)
        // The last day or hour counts whole when the export has any of it.
        let end =
            edge(Timestamp(microseconds: last.microseconds - 1))
            + .seconds(by == .day ? 86_400 : 3600)
        guard start < end, first < last else {
            throw .wrongUsage(
                "The time to compare would end before it begins.",
                advice: "Give --since a time before --until.")
        }
        return start..<end
    }

    private func conclude(
        _ result: Reconciliation, _ tally: ExportTally, _ desk: AdminDesk
    ) throws {
        if tally.badRows > 0 {
            let more = tally.badRows - tally.named.count
            let rows =
                tally.named.map { "Line \($0.line): \($0.fault).\n" }
                + (more > 0 ? ["… and \(more) more.\n"] : [])
            try desk.output.complain(rows.joined())
        }
        let count = result.lines.count - result.count(.matched)
        guard count > 0 || tally.badRows > 0 else { return }
        let parts = [
            count > 0 ? "\(count) \(count == 1 ? "amount differs" : "amounts differ")" : nil,
            tally.badRows > 0
                ? "\(tally.badRows) \(tally.badRows == 1 ? "row" : "rows") could not be read" : nil,
        ].compactMap(\.self)
        throw AdminFailure.difference(
            parts.joined(separator: " and ") + ".",
            advice: tally.badRows > 0
                ? "Export the file again, and compare again."
                : "Other programs with the same account, time zones and midnight are the usual"
                    + " reasons; --by hour shows when.")
    }
}
