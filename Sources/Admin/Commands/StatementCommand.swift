import ArgumentParser
import Domain
import Ledger

/// `admin statement`.
struct StatementCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "statement", abstract: "Show usage and balances as they were at an instant.",
        discussion: """
            Made of records settled, corrections made and limits set until the instant, so that it says the same \
            whenever it is asked. Usage is of requests admitted since --since. Times are in UTC.

            Example:
              turnpike admin statement --team research --at 2026-11-01
              turnpike admin statement --organization acme --since 2026-10-01 --at 2026-11-01 --format json
            """)

    @OptionGroup var subject: SubjectOptions
    @Option(
        help: ArgumentHelp(
            "The instant: a date, or so long ago. Default: the last minute that is complete.",
            valueName: "when"), transform: TimeArgument.read)
    var at: TimeArgument?
    @Option(
        help: ArgumentHelp(
            "The beginning of the usage. Default: the first of the instant's month.",
            valueName: "when"), transform: TimeArgument.read)
    var since: TimeArgument?
    @OptionGroup var options: AdminOptions

    func execute(_ desk: AdminDesk) throws {
        let found = try subject.find(at: desk)
        let now = try desk.ledger.time()
        let instant = at?.beforeExactly(now) ?? StatementView.lastMinute(before: now)
        guard instant <= now else {
            throw AdminFailure.wrongUsage(
                "The instant \(TimeText.iso(instant)) is in the future.",
                advice: "It is \(TimeText.iso(now)) by the ledger's clock.")
        }
        let beginning = since?.before(now) ?? instant.day.firstOfMonth.start
        let statement = try desk.ledger.statement(
            StatementQuery(
                organization: found.organization.id, subject: found.subject, at: instant,
                since: beginning))
        let view = StatementView(found: found, at: instant, since: beginning)
        switch desk.format {
        case .table: try desk.output.lines(view.lines(statement, desk))
        case .json, .csv:
            try desk.answer(view.records(statement), names: StatementView.names) { [] }
        }
    }
}

/// A statement as people and programs see it.
struct StatementView {
    /// Whose.
    let found: SubjectOptions.Found
    /// Of when.
    let at: Timestamp
    /// From when on usage is counted.
    let since: Timestamp

    /// The fields of a line for programs: one for each resource used, then one for each quota.
    static let names = [
        "subject", "subject_name", "organization", "at", "kind", "resource", "period",
        "period_start", "since", "unit", "charged", "corrected", "used", "limit", "left", "model",
    ]

    /// The last full minute that the records are complete for.
    static func lastMinute(before now: Timestamp) -> Timestamp {
        let complete = now.microseconds - StatementStore.settlingTime.microseconds
        return Timestamp(microseconds: complete - complete % 60_000_000)
    }

    /// The statement for programs.
    func records(_ statement: Statement) -> [Record] {
        let head: [Record.Value] = [
            .text(found.subject.kind.name), .text(found.name), .text(found.organization.name),
            .text(TimeText.iso(at)),
        ]
        func unit(_ resource: Resource) -> Record.Value {
            .text(resource == .cost ? "nanousd" : resource.name)
        }
        let usage = [
            (Resource.tokens, statement.usage.chargedTokens),
            (.requests, statement.usage.requests), (.cost, statement.usage.costNanoUSD),
        ].map { resource, amount in
            Record(
                Self.names,
                head + [
                    .text("usage"), .text(resource.name), .missing, .missing,
                    .text(TimeText.iso(since)), unit(resource), .integer(amount), .missing,
                    .missing, .missing, .missing, .missing,
                ])
        }
        return usage
            + statement.lines.map { line in
                let account = line.account
                return Record(
                    Self.names,
                    head + [
                        .text("quota"), .text(account.resource.name), .text(account.period.name),
                        .text(account.start.description), .missing, unit(account.resource),
                        .integer(line.charged), .integer(line.corrected), .integer(line.used),
                        .integer(line.limit), .integer(line.left), .optional(line.model),
                    ])
            }
    }

    /// The statement for people.
    func lines(_ statement: Statement, _ desk: AdminDesk) -> [String] {
        let usage = statement.usage
        let details = DetailFormatter(width: desk.output.width, style: desk.output.style)
        let head = details.lines([
            ("Statement", "\(found.title) at \(TimeText.iso(at))"),
            ("Usage since", TimeText.iso(since)),
            ("Requests", NumberText.grouped(usage.requests)),
            ("Failed", NumberText.grouped(usage.failedRequests)),
            ("Prompt", "\(NumberText.grouped(usage.promptTokens)) tokens"),
            ("Completion", "\(NumberText.grouped(usage.completionTokens)) tokens"),
            ("Charged", "\(NumberText.grouped(usage.chargedTokens)) tokens"),
            ("Cost", "$" + NumberText.dollars(nanoUSD: usage.costNanoUSD)),
        ])
        if statement.lines.isEmpty { return head + ["", "No quota of its own was in force."] }
        let isOfModels = statement.lines.contains { $0.model != nil }
        let columns: [TableColumn] =
            (isOfModels ? [.text("Model", minimum: 8)] : []) + [
                .whole("Quota"), .whole("Period from"), .number("Used"),
                .number("Corrected", droppedAt: 1), .number("Limit"), .number("Left"),
            ]
        let rows = statement.lines.map { line -> [TableFormatter.Cell] in
            let account = line.account
            func amount(_ units: Int128) -> TableFormatter.Cell {
                .text(Self.amount(units, account.resource))
            }
            return (isOfModels ? [.text(line.model ?? "all")] : []) + [
                .text("\(account.resource.name)/\(account.period.name)"),
                .text(account.period == .total ? "the start" : account.start.description),
                amount(line.used), amount(line.corrected), amount(Int128(line.limit)),
                amount(line.left),
            ]
        }
        return head + [""] + desk.tables.lines(columns: columns, rows: rows, totals: nil)
    }

    /// Dollars exactly, everything else as it is.
    static func amount(_ units: Int128, _ resource: Resource) -> String {
        guard resource == .cost else { return NumberText.grouped(units) }
        return (units < 0 ? "-$" : "$")
            + NumberText.dollars(nanoUSD: Int128(clamping: units.magnitude))
    }
}
