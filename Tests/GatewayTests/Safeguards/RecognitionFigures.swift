@testable import Gateway

/// How well the built-in recogniser does on the labelled set. A finding counts when its kind and
/// both its ends are right.
struct RecognitionFigures {
    struct Row {
        /// Labels that were found, findings that are none, labels that were not found.
        var right = 0
        var wrong = 0
        var missed = 0

        /// In percent.
        var precision: Double {
            right + wrong == 0 ? 100 : 100 * Double(right) / Double(right + wrong)
        }
        var recall: Double {
            right + missed == 0 ? 100 : 100 * Double(right) / Double(right + missed)
        }
    }

    private(set) var rows: [EntityType: Row] = [:]
    /// Texts in which nothing stands, and those of them in which something was found.
    private(set) var clean = 0
    private(set) var falseAlarms = 0
    /// Of each kind, up to three texts that went wrong. The set has nobody's data.
    private(set) var examples: [EntityType: [String]] = [:]

    init(sentences: Int, seed: UInt64) {
        let recognizer = StructuredRecognizer()
        for text in LabelledSet.texts(sentences, seed: seed) {
            let found = Set(
                EntityFinding.withoutOverlaps(
                    recognizer.findings(in: text.text), count: text.text.utf8.count
                ).map { LabelledText.Label(entity: $0.entity, range: $0.range) })
            if text.findings.isEmpty {
                clean += 1
                falseAlarms += found.isEmpty ? 0 : 1
            }
            for label in text.findings {
                if found.contains(label) {
                    rows[label.entity, default: Row()].right += 1
                } else {
                    rows[label.entity, default: Row()].missed += 1
                    note("missed", text.text, label.entity)
                }
            }
            for label in found.subtracting(text.findings) {
                rows[label.entity, default: Row()].wrong += 1
                note("wrong", text.text, label.entity)
            }
        }
    }

    private mutating func note(_ what: String, _ text: String, _ entity: EntityType) {
        guard examples[entity, default: []].count < 3 else { return }
        examples[entity, default: []].append("\(what) in: \(text)")
    }

    var total: Row {
        rows.values.reduce(into: Row()) {
            $0.right += $1.right
            $0.wrong += $1.wrong
            $0.missed += $1.missed
        }
    }

    /// The table, a line for each kind.
    var table: String {
        func line(_ name: String, _ cells: [String]) -> String {
            func wide(_ text: String, _ width: Int) -> String {
                String(repeating: " ", count: max(0, width - text.count)) + text
            }
            let padding = String(repeating: " ", count: max(0, 28 - name.count))
            return name + padding + cells.map { wide($0, 11) }.joined()
        }
        func percent(_ value: Double) -> String {
            let tenths = Int((value * 10).rounded())
            return "\(tenths / 10).\(tenths % 10) %"
        }
        func cells(_ row: Row) -> [String] {
            [
                String(row.right + row.missed), String(row.right), String(row.wrong),
                String(row.missed), percent(row.precision), percent(row.recall),
            ]
        }
        let head = line("entity", ["labels", "right", "wrong", "missed", "precision", "recall"])
        let lines = rows.sorted { $0.key < $1.key }.map { line($0.key.name, cells($0.value)) }
        let alarms = "of \(clean) texts in which nothing stands, \(falseAlarms) would be blocked"
        return ([head] + lines + [line("all", cells(total)), alarms]).joined(separator: "\n")
    }
}
