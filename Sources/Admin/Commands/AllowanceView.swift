import Domain

/// Quotas and rate limits as people and programs see them.
enum AllowanceView {
    /// The fields of a quota or rate limit for programs.
    static let names = [
        "subject", "subject_name", "organization", "kind", "resource", "period", "unit", "limit",
        "used", "reserved", "leased", "left", "resets_at", "outage",
    ]

    /// Answers with everything that limits a subject.
    static func answer(_ found: SubjectOptions.Found, at desk: AdminDesk) throws {
        let entries = try desk.ledger.allowances(on: found.subject, in: found.organization)
        try desk.answer(entries.map { record($0, found) }, names: names) {
            entries.isEmpty
                ? ["Nothing limits \(found.title) itself."] : table(entries, desk)
        }
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
            .optional(outage(entry)?.rawValue),
        ]
        return Record(names, values)
    }

    /// Every limit on a line, with a bar of how much of a quota is gone.
    static func table(_ entries: [AllowanceEntry], _ desk: AdminDesk) -> [String] {
        let columns: [TableColumn] = [
            .whole("Quota"), .number("Limit"), .number("Used"), .number("Reserved", droppedAt: 2),
            .number("Left"),
            TableColumn(header: "Resets", isNumeric: false, fit: .optional(rank: 1)),
            TableColumn(header: "Outage", isNumeric: false, fit: .optional(rank: 3)),
            TableColumn(header: "", isNumeric: false, fit: .bar(maximum: 10)),
        ]
        let rows = entries.map { entry -> [TableFormatter.Cell] in
            let numbers = entry.numbers
            func cell(_ number: Int64?) -> TableFormatter.Cell {
                .text(number.map { amount($0, entry.target) } ?? "")
            }
            let gone = (numbers?.used ?? 0).addingReportingOverflow(numbers?.reserved ?? 0)
            return [
                .text(entry.target.name), cell(entry.limit), cell(numbers?.used),
                cell(numbers?.reserved), cell(numbers?.left),
                .text(resets(numbers)), .text(outage(entry)?.rawValue ?? ""),
                .bar(
                    value: Int128(gone.overflow ? .max : gone.partialValue), of: Int128(entry.limit)
                ),
            ]
        }
        return desk.tables.lines(columns: columns, rows: rows, totals: nil)
    }

    private static func resets(_ numbers: AllowanceEntry.Numbers?) -> String {
        guard let numbers else { return "" }
        return numbers.resetsAt.map { TimeText.short($0) } ?? "never"
    }

    private static func outage(_ entry: AllowanceEntry) -> OutageText? {
        entry.ridesOutages.map { $0 ? .ride : .refuse }
    }

    /// Dollars with two decimals at least, everything else as it is.
    private static func amount(_ units: Int64, _ target: AllowanceTarget) -> String {
        guard case .quota(.cost, _) = target else { return NumberText.grouped(Int128(units)) }
        let nanoUSD = Int128(units)
        let decimals = NumberText.neededDecimals(nanoUSD: nanoUSD)
        return "$" + NumberText.dollars(nanoUSD: nanoUSD, decimals: decimals, grouping: true)
    }

    private static func words(
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
