import Domain

/// Quotas and rate limits as people and programs see them.
enum AllowanceView {
    /// The fields of a quota or rate limit for programs.
    static let names = [
        "subject", "subject_name", "organization", "kind", "resource", "period", "unit", "limit",
        "used", "reserved", "leased", "left", "resets_at", "outage", "model",
        "soft",
    ]

    /// A limit and whose it is.
    struct Line {
        let owner: SubjectOptions.Found
        let entry: AllowanceEntry
    }

    /// Answers with everything that limits a subject itself.
    static func answer(_ found: SubjectOptions.Found, at desk: AdminDesk) throws {
        let lines = try lines(found, at: desk)
        try desk.answer(lines.map { record($0.entry, found) }, names: names) {
            lines.isEmpty
                ? ["Nothing limits \(found.title) itself."] : table(lines, isOfOne: true, desk)
        }
    }

    /// Answers with everything that applies to a subject: its own limits, then those of what it
    /// belongs to.
    static func explain(_ found: SubjectOptions.Found, at desk: AdminDesk) throws {
        let lines = try applying(to: found, at: desk)
        try desk.answer(lines.map { record($0.entry, $0.owner) }, names: names) {
            if lines.isEmpty { return ["Nothing limits \(found.title)."] }
            let table = table(lines, isOfOne: found.above.isEmpty, desk)
            return lines.contains { $0.owner.subject == found.subject }
                ? table : ["Nothing limits \(found.title) itself."] + table
        }
    }

    /// What limits a subject itself.
    private static func lines(
        _ found: SubjectOptions.Found, at desk: AdminDesk
    ) throws(AdminFailure) -> [Line] {
        try desk.ledger.allowances(on: found.subject, in: found.organization)
            .map { Line(owner: found, entry: $0) }
    }

    /// What limits a subject, and what limits all that it belongs to.
    static func applying(
        to found: SubjectOptions.Found, at desk: AdminDesk
    ) throws(AdminFailure) -> [Line] {
        var all = try lines(found, at: desk)
        for owner in found.above { all += try lines(owner, at: desk) }
        return all
    }

    /// A quota or rate limit for programs. A rate limit keeps no books: its numbers are missing.
    static func record(_ entry: AllowanceEntry, _ found: SubjectOptions.Found) -> Record {
        let words = words(entry.target)
        let numbers = entry.numbers
        let values: [Record.Value] = [
            .text(found.subject.kind.name), .text(found.name), .text(found.organization.name),
            .text(numbers == nil ? "rate_limit" : "quota"), .text(words.resource),
            .optional(words.period), .text(words.unit), .integer(entry.limit),
            .optional(numbers?.used), .optional(numbers?.reserved), .optional(numbers?.leased),
            .optional(numbers?.left), .optional(numbers?.resetsAt.map(TimeText.iso)),
            .optional(outage(entry)?.rawValue), .optional(entry.model),
            numbers == nil ? .missing : .flag(entry.isSoft),
        ]
        return Record(names, values)
    }

    /// Every limit on a line, with a bar of how much of a quota is gone.
    private static func table(
        _ lines: [Line], isOfOne: Bool, _ desk: AdminDesk
    ) -> [String] {
        let models = models(lines)
        let owners: [TableColumn] = isOfOne ? [] : [.text("Of", minimum: 20)]
        let columns: [TableColumn] =
            owners + models.columns + [
                .whole("Quota"), .number("Limit"), .number("Used"),
                .number("Reserved", droppedAt: 2),
                .number("Left"),
                TableColumn(header: "Resets", isNumeric: false, fit: .optional(rank: 1)),
                TableColumn(header: "Outage", isNumeric: false, fit: .optional(rank: 3)),
                TableColumn(header: "", isNumeric: false, fit: .bar(maximum: 10)),
            ]
        let rows = lines.map { line -> [TableFormatter.Cell] in
            let entry = line.entry
            let numbers = entry.numbers
            func cell(_ number: Int64?) -> TableFormatter.Cell {
                .text(number.map { amount($0, entry.target) } ?? "")
            }
            let gone = (numbers?.used ?? 0).addingReportingOverflow(numbers?.reserved ?? 0)
            let owner: [TableFormatter.Cell] = isOfOne ? [] : [.text(line.owner.short)]
            return owner + models.cells(entry) + [
                .text(name(entry)), cell(entry.limit), cell(numbers?.used),
                cell(numbers?.reserved), cell(numbers?.left),
                .text(resets(numbers)), .text(outage(entry)?.rawValue ?? ""),
                .bar(
                    value: Int128(gone.overflow ? .max : gone.partialValue), of: Int128(entry.limit)
                ),
            ]
        }
        return desk.tables.lines(columns: columns, rows: rows, totals: nil)
    }

    /// A limit in a table: `tokens/day`, and whether it only warns.
    static func name(_ entry: AllowanceEntry) -> String {
        entry.target.name + (entry.isSoft ? " (soft)" : "")
    }

    /// The column that tells of which model a limit is: there where any is of one.
    static func models(
        _ lines: [Line]
    ) -> (columns: [TableColumn], cells: (AllowanceEntry) -> [TableFormatter.Cell]) {
        guard lines.contains(where: { $0.entry.model != nil }) else { return ([], { _ in [] }) }
        return ([.text("Model", minimum: 8)], { [.text($0.model ?? "all")] })
    }

    /// When a quota's period ends.
    static func resets(_ numbers: AllowanceEntry.Numbers?) -> String {
        guard let numbers else { return "" }
        return numbers.resetsAt.map { TimeText.short($0) } ?? "never"
    }

    private static func outage(_ entry: AllowanceEntry) -> OutageText? {
        entry.ridesOutages.map { $0 ? .ride : .refuse }
    }

    /// Dollars with two decimals at least, everything else as it is.
    static func amount(_ units: Int64, _ target: AllowanceTarget) -> String {
        guard case .quota(.cost, _) = target else { return NumberText.grouped(Int128(units)) }
        let nanoUSD = Int128(units)
        let decimals = NumberText.neededDecimals(nanoUSD: nanoUSD)
        return "$" + NumberText.dollars(nanoUSD: nanoUSD, decimals: decimals, grouping: true)
    }

    /// A limit in the words that programs read.
    static func words(
        _ target: AllowanceTarget
    ) -> (resource: String, period: String?, unit: String) {
        switch target {
        case .quota(.cost, let period): ("cost", period.name, "nanousd")
        case .quota(let resource, let period): (resource.name, period.name, resource.name)
        case .rate(.requestsPerMinute): ("requests", "minute", "requests")
        case .rate(.tokensPerMinute): ("tokens", "minute", "tokens")
        case .rate(.concurrentRequests): ("concurrent_requests", nil, "requests")
        }
    }
}
