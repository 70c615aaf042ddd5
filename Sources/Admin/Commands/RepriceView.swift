import Domain
import Ledger

/// Repricings as people and programs see them.
enum RepriceView {
    /// The fields of a preview's line for programs.
    static let names = [
        "from_version", "to_version", "fate", "records", "cost_nanousd", "new_cost_nanousd",
        "difference_nanousd",
    ]

    /// A preview's line for programs.
    static func record(_ line: RepriceReport.Line) -> Record {
        Record(
            names,
            [
                .optional(line.was.map { String($0) }),
                .optional(line.becomes.map { String($0) }), .text(line.fate.rawValue),
                .integer(line.records), .integer(line.before), .integer(line.after),
                .integer(line.after - line.before),
            ])
    }

    /// What was done for programs.
    static func record(_ outcome: RepriceOutcome) -> Record {
        Record([
            ("records", .integer(outcome.records)),
            ("difference_nanousd", .integer(outcome.difference)),
            ("quota_difference_nanousd", .integer(outcome.applied)),
            ("waiting_accounts", .integer(outcome.waitingAccounts)),
            ("waiting_nanousd", .integer(outcome.waiting)),
        ])
    }

    /// What would be done.
    static func preview(_ report: RepriceReport, _ desk: AdminDesk) -> [String] {
        let table = desk.tables.lines(
            columns: [
                .whole("From version"), .number("Records"), .number("Cost"), .number("New cost"),
                .number("Difference"), .text("", minimum: 5),
            ],
            rows: report.lines.map { line in
                [
                    .text(line.was.map { String($0) } ?? "none"),
                    .text(NumberText.grouped(Int128(line.records))), .text(dollars(line.before)),
                    .text(line.fate == .repriced ? dollars(line.after) : ""),
                    .text(line.fate == .repriced ? signed(line.after - line.before) : ""),
                    .text(words(line.fate)),
                ]
            }, totals: nil)
        var sentences = [
            "\(records(report.records)) would change by \(signed(report.difference)). Nothing was"
                + " changed: add --yes."
        ]
        if report.records == 0 { sentences = ["Nothing is to be changed."] }
        if report.lines.contains(where: { $0.fate == .swept }) {
            sentences.append(
                "Swept requests were charged at their bound as their gateway died: nobody knows"
                    + " their tokens, so they stay.")
        }
        if report.lines.contains(where: { $0.fate == .otherTerms }) {
            sentences.append(
                "Requests that were charged on other terms stay, unless --replacing names their"
                    + " version.")
        }
        if report.droppedDays > 0 {
            sentences.append(
                "Of \(report.droppedDays) days the records were dropped: they stay.")
        }
        return (report.lines.isEmpty ? [] : table)
            + sentences.flatMap { TextWrap.lines($0, width: desk.output.width) }
    }

    /// What was done.
    static func words(_ outcome: RepriceOutcome, _ desk: AdminDesk) -> [String] {
        var sentences = [
            "\(records(outcome.records)) changed by \(signed(outcome.difference)), quotas in cost"
                + " by \(signed(outcome.applied))."
        ]
        if outcome.waitingAccounts > 0 {
            let count = NumberText.grouped(Int128(outcome.waitingAccounts))
            let noun = outcome.waitingAccounts == 1 ? "quota is" : "quotas are"
            sentences.append(
                "\(count) \(noun) still owed \(signed(outcome.waiting)), until gateways hand in"
                    + " what was used: repeat the command in a minute or two.")
        }
        return sentences.flatMap { TextWrap.lines($0, width: desk.output.width) }
    }

    private static func words(_ fate: RepriceReport.Fate) -> String {
        switch fate {
        case .repriced: ""
        case .already: "done"
        case .otherTerms: "other terms"
        case .swept: "swept"
        }
    }

    private static func records(_ count: Int64) -> String {
        NumberText.grouped(Int128(count)) + (count == 1 ? " record" : " records")
    }

    private static func dollars(_ amount: Int128) -> String {
        StatementView.amount(amount, .cost)
    }

    private static func signed(_ amount: Int128) -> String {
        (amount > 0 ? "+" : "") + dollars(amount)
    }
}
