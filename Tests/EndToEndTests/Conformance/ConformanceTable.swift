/// The README's table of what is covered, made of the lists that the tests run.
enum ConformanceTable {
    /// What stands around it in the README.
    static let begin =
        "<!-- Made by the conformance tests: TURNPIKE_WRITE_TABLE=yes rewrites it. -->"
    static let end = "<!-- End of the table. -->"

    /// The table, as Markdown.
    static func render(_ systems: [ConformanceSystem]) -> String {
        var lines = [
            "| System | Parameters: in effect | only as their default | refused by name "
                + "| Response fields: plain | streamed | on the local engine |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += systems.map(row)
        lines += [
            "",
            "Refused by name (`unsupported_parameter`) before anything is reserved, and left out:",
            "",
        ]
        lines += systems.compactMap(refusals)
        return lines.joined(separator: "\n")
    }

    /// The README with the table in its place; nil where there is no place for it.
    static func replaced(in readme: String, by table: String) -> String? {
        guard let start = readme.firstRange(of: begin + "\n"),
            let stop = readme.firstRange(of: end)
        else { return nil }
        return readme[..<start.upperBound] + table + "\n" + readme[stop.lowerBound...]
    }

    private static func row(_ system: ConformanceSystem) -> String {
        let parameters = system.parameters
        let refused = parameters.count { $0.isRefused }
        let neutral = parameters.count { $0.isNeutral }
        let fields = system.fields
        let numbers = [
            parameters.count - refused - neutral, neutral, refused,
            fields.count { $0.place != .stream }, fields.count { $0.place != .plain },
            fields.count { $0.isOfEngine },
        ]
        return "| \(system.name) | " + numbers.map(String.init).joined(separator: " | ") + " |"
    }

    private static func refusals(_ system: ConformanceSystem) -> String? {
        func names(_ isMeant: (PageParameter) -> Bool) -> String {
            system.parameters.filter(isMeant).map { "`\($0.name)`" }.joined(separator: ", ")
        }
        let (refused, neutral) = (names { $0.isRefused }, names { $0.isNeutral })
        let leftOut = system.leftOut.map { "`\($0.replacing("[0]", with: "[]"))`" }
            .joined(separator: ", ")
        let parts = [
            refused.isEmpty ? "" : "\(refused).",
            neutral.isEmpty ? "" : "Anything but the default of \(neutral).",
            leftOut.isEmpty ? "" : "Not in answers: \(leftOut).",
        ]
        let text = parts.filter { !$0.isEmpty }.joined(separator: " ")
        return text.isEmpty ? nil : wrapped("- \(system.name): \(text)")
    }

    /// The text in lines of at most 120 columns, the later ones indented as a list's are.
    private static func wrapped(_ text: String) -> String {
        var lines = [""]
        for word in text.split(separator: " ") {
            let line = lines[lines.count - 1]
            if line.count + 1 + word.count > 120 {
                lines.append("  \(word)")
            } else {
                lines[lines.count - 1] = line.isEmpty ? String(word) : "\(line) \(word)"
            }
        }
        return lines.joined(separator: "\n")
    }
}

extension PageParameter {
    /// Whether it is refused whatever it says.
    var isRefused: Bool {
        if case .refused = verdict { true } else { false }
    }

    /// Whether only what changes nothing is taken.
    var isNeutral: Bool {
        if case .neutral = verdict { true } else { false }
    }
}
