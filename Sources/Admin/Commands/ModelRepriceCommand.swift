import ArgumentParser
import Domain
import Ledger

/// `admin model reprice`.
struct ModelRepriceCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "reprice", abstract: "Price requests of the past by another version.",
        discussion: """
            Shows what would change; with --yes it does. A record is never rewritten: each gets a correction beside it, \
            which usage, statement, explain and audit count. It may be stopped at any moment and run again: nothing is \
            applied twice. Requests that are open keep their price until they are settled: run it again for those.

            Priced anew are requests that were charged by a version which was in force for the same terms (usual, a tier, \
            speech), or by none; others when --replacing names their version. Left alone are requests that were charged at \
            their bound because their gateway died, and days that retention has dropped.

            Quotas in cost of periods that still run are charged or given back the difference, beyond their limit too: \
            then nothing more is admitted until they have room. Those of periods that are over stay as they were.

            Example:
              turnpike admin model show gpt-4o
              turnpike admin model reprice gpt-4o --since 2026-11-01 --price-version 5577006791947
            """)

    @Argument(help: ArgumentHelp("The model alias.", valueName: "model"))
    var model: String
    @Option(
        help: ArgumentHelp(
            "From when on: a span such as 7d, or a date.", valueName: "when"),
        transform: { try TimeArgument.parse($0) })
    var since: TimeArgument
    @Option(
        help: ArgumentHelp("Until when (default: now).", valueName: "when"),
        transform: { try TimeArgument.parse($0) })
    var until: TimeArgument?
    @Option(
        help: ArgumentHelp("The version, as `model show` has it.", valueName: "version"))
    var priceVersion: Int64
    @Option(
        help: ArgumentHelp("Another version to replace; repeatable.", valueName: "version"))
    var replacing: [Int64] = []
    @Flag(help: "Do it.")
    var yes = false
    @OptionGroup var options: AdminOptions

    func execute(_ desk: AdminDesk) throws {
        try desk.checkModel(model)
        let now = try desk.ledger.time()
        let order = RepriceOrder(
            model: model, since: since.beforeExactly(now),
            until: until?.beforeExactly(now) ?? now, version: priceVersion, replacing: replacing)
        guard order.since < order.until, order.until <= now else {
            throw AdminFailure.wrongUsage(
                "--since is before --until, and neither in the future.", advice: nil)
        }
        let report = try desk.ledger.previewReprice(order)
        guard yes else {
            return try desk.answer(
                report.lines.map(RepriceView.record), names: RepriceView.names
            ) { RepriceView.preview(report, desk) }
        }
        let outcome = try desk.ledger.reprice(order)
        try desk.answer(RepriceView.record(outcome)) { RepriceView.words(outcome, desk) }
    }
}
