import ArgumentParser

/// `admin doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check what a gateway needs and say what to fix.",
        discussion: """
            Looks at the configuration, the database (version, standbys, clock, schema, privileges), the pepper and \
            what keys were made under, the journal's disk, backends (keys, files, programs, memory, certificates), ports and \
            limits. \
            Run it as the gateway's user, with its environment. It changes nothing; it writes one small file into the \
            journal's folder and removes it. Each upstream is asked for its list of models, which costs nothing, with each \
            of its keys; with --offline it is not.

            Ends with status 1 when there is a fault; warnings leave it 0.

            Example:
              turnpike admin doctor --config /etc/turnpike/turnpike.yaml
              sudo -u turnpike turnpike admin doctor --format json
            """)

    /// What is looked at; a test puts another world in its place.
    @TaskLocal static var doctor = AdminEnvironment.doctor

    @Flag(help: "Call no upstream.")
    var offline = false

    @OptionGroup var options: AdminOptions

    func run() async throws {
        let output = AdminEnvironment.current.output(!options.noColor)
        let checks = await Self.doctor.checks(options.config, callsUpstreams: !offline)
        do {
            switch options.format {
            case .json: try output.line(JSONText.array(checks.map(DoctorView.record)))
            case .csv:
                try output.write(
                    CSVText.file(names: DoctorView.names, records: checks.map(DoctorView.record)))
            case .table: try output.lines(DoctorView.lines(checks, output))
            }
        } catch is Output.ReaderIsGone {
            // Whoever read the checks has seen enough of them; the status says the rest.
        }
        if checks.contains(where: { $0.state == .fault }) {
            throw ExitCode(AdminFailure.Status.refused.rawValue)
        }
    }
}

/// Checks as people and programs see them.
enum DoctorView {
    /// The fields of a check for programs.
    static let names = ["check", "state", "finding", "advice"]

    /// A check for programs.
    static func record(_ check: DoctorCheck) -> Record {
        Record(
            names,
            [
                .text(check.name), .text(check.state.rawValue), .text(check.finding),
                .optional(check.advice),
            ])
    }

    /// A line for each check, and below those that are not well what to do; a count at the end.
    static func lines(_ checks: [DoctorCheck], _ output: Output) -> [String] {
        let wide = checks.reduce(0) { max($0, DisplayWidth.of($1.name)) }
        let indent = String(repeating: " ", count: 9)
        let lines = checks.flatMap { check -> [String] in
            let word = DisplayWidth.pad(check.state.rawValue, to: 7, alignedAtEnd: false)
            let name = DisplayWidth.pad(check.name, to: wide, alignedAtEnd: false)
            let text = "\(name)  \(DisplayWidth.printable(check.finding))"
            let parts = TextWrap.lines(text, width: max(20, output.width - 9))
            let emphasised =
                check.state == .fault ? output.style.alarm(word) : output.style.bold(word)
            let mark = check.state == .ok ? output.style.dim(word) : emphasised
            let first = parts.first.map { _ in
                "\(mark)  " + (text.count <= output.width - 9 ? text : parts[0])
            }
            let rest = text.count <= output.width - 9 ? [] : parts.dropFirst().map { indent + $0 }
            let advice = check.advice.map {
                TextWrap.lines("→ " + DisplayWidth.printable($0), width: output.width - 9)
                    .map { indent + $0 }
            }
            return [first].compactMap(\.self) + rest + (advice ?? [])
        }
        let counts = DoctorCheck.State.allCases.map { state in
            "\(checks.count { $0.state == state }) \(state.rawValue)"
        }
        return lines + ["", counts.joined(separator: ", ") + "."]
    }
}
