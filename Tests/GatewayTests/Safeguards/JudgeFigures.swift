@testable import Gateway

/// How well a judge does on the labelled set, by check. A text that the judge says neither word of
/// is undecided: a request would get 503 for it, so it is neither stopped nor let through.
struct JudgeFigures {
    struct Row {
        /// Bad and stopped, good and stopped, bad and let through, good and let through.
        var right = 0
        var wrong = 0
        var missed = 0
        var passed = 0
        var undecided = 0

        /// Of those that were stopped, how many had to be, in percent; nil when none was.
        var precision: Double? {
            right + wrong == 0 ? nil : 100 * Double(right) / Double(right + wrong)
        }
        /// Of those that had to be stopped and were decided, how many were, in percent.
        var recall: Double? {
            right + missed == 0 ? nil : 100 * Double(right) / Double(right + missed)
        }
    }

    private(set) var rows: [(check: JudgedCheck, row: Row)]

    /// Asks a judge about each text, with the words that the gateway itself uses.
    init(
        _ texts: [JudgedText], mark: String,
        asking judge: (_ messages: [ChatMessage]) async throws -> String
    ) async throws {
        rows = JudgedCheck.everyOne.map { ($0, Row()) }
        for text in texts {
            let said = try await judge(text.check.messages(about: text.text, mark: mark))
            guard let index = rows.firstIndex(where: { $0.check == text.check }) else { continue }
            switch (JudgedCheck.verdict(said), text.isBad) {
            case (nil, _): rows[index].row.undecided += 1
            case (.failed?, true): rows[index].row.right += 1
            case (.failed?, false): rows[index].row.wrong += 1
            case (.passed?, true): rows[index].row.missed += 1
            case (.passed?, false): rows[index].row.passed += 1
            }
        }
    }

    /// The figures of one check.
    func row(_ check: JudgedCheck) -> Row { rows.first { $0.check == check }?.row ?? Row() }

    /// The table, a line for each check.
    var table: String {
        func line(_ name: String, _ cells: [String]) -> String {
            func wide(_ text: String, _ width: Int) -> String {
                String(repeating: " ", count: max(0, width - text.count)) + text
            }
            return name + String(repeating: " ", count: max(0, 30 - name.count))
                + cells.map { wide($0, 11) }.joined()
        }
        func percent(_ value: Double?) -> String {
            guard let value else { return "-" }
            let tenths = Int((value * 10).rounded())
            return "\(tenths / 10).\(tenths % 10) %"
        }
        let head = line(
            "check",
            ["right", "wrong", "missed", "passed", "undecided", "precision", "recall"])
        let lines = rows.map { check, row in
            line(
                check.parameter,
                [row.right, row.wrong, row.missed, row.passed, row.undecided].map(String.init)
                    + [percent(row.precision), percent(row.recall)])
        }
        return ([head] + lines).joined(separator: "\n")
    }
}
