import ArgumentParser
import Domain
import Ledger

/// `admin retention`.
struct RetentionCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "retention", abstract: "Drop the usage records of old days, totals kept.",
        discussion: """
            Audits everything first and goes no further when the books differ (status 4). Then, day by day: adds the \
            records up into a seal, compares the two, and drops the records. Reports by hour, balances and the audit stay \
            as they were, how requests ended and their times stay known by the day; `explain` no longer knows the requests. Running it again goes on where it stopped.

            Example:
              turnpike admin retention --keep-days 90 --yes
            """)

    // More is a mistake, and before the first day that a database knows.
    private static let mostDays: Int32 = 36_525

    @Option(
        name: .customLong("keep-days"),
        help: ArgumentHelp("Whole days to keep before today, at least 2.", valueName: "days"))
    var keepDays: Int32
    @Flag(help: "Do not ask.")
    var yes = false
    @OptionGroup var options: AdminOptions

    func validate() throws {
        guard keepDays >= RetentionStore.leastDays else {
            throw ValidationError("At least \(RetentionStore.leastDays) days are kept.")
        }
        guard keepDays <= Self.mostDays else {
            throw ValidationError("At most \(Self.mostDays) days are kept: a hundred years.")
        }
    }

    func execute(_ desk: AdminDesk) throws {
        let due = try desk.ledger.daysToDrop(keeping: keepDays)
        if let first = due.first, let last = due.last {
            let days = due.count == 1 ? "\(first)" : "\(due.count) days, \(first) to \(last)"
            try desk.confirm(
                "Drop the usage records of \(days)? They cannot be brought back.", isConfirmed: yes)
        }
        let report =
            due.isEmpty ? RetentionReport() : try desk.ledger.dropDays(keeping: keepDays)
        let records = report.dropped.map {
            Record(["day", "records"], [.text($0.day.description), .integer($0.records)])
        }
        try desk.answer(records, names: ["day", "records"]) {
            report.dropped.map {
                "Dropped \($0.day): \(NumberText.grouped(Int128($0.records))) records sealed."
            } + (report.dropped.isEmpty ? ["Nothing was dropped."] : [])
        }
        if let obstacle = report.obstacle { throw try failure(obstacle, desk) }
    }

    private func failure(
        _ obstacle: RetentionReport.Obstacle, _ desk: AdminDesk
    ) throws -> AdminFailure {
        switch obstacle {
        case .differences(let findings):
            if desk.format == .table { try desk.output.lines(AuditView.findings(findings, desk)) }
            return .difference(
                "The books differ, so no record is dropped.",
                advice: "See `turnpike admin audit --complete`.")
        case .openRequests(let day, let count):
            return .refused(
                "\(count) requests admitted on \(day) or before are still open.",
                advice: "Start their nodes again, or wait for the sweep.")
        case .sealDiffers(let day):
            return .difference(
                "The records of \(day) are not those that an audit had sealed.",
                advice: "Run `turnpike admin audit`, which seals late records anew, then repeat.")
        case .busy(let day):
            return .refused(
                "The records of \(day) are in use by a long transaction.",
                advice: "Nothing of that day was changed. Repeat it later.")
        }
    }
}
