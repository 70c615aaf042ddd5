import Testing

/// A rule that a machine keeps, with the reason beside it and samples that prove that it catches
/// something.
struct TidyRule: Sendable, CustomTestStringConvertible {
    /// A piece of a file, as if it stood at `path`.
    struct Sample: Sendable {
        let path: String
        let text: String
    }

    let name: String
    let reason: String
    /// The lines, from 1, that break the rule.
    let check: @Sendable (TidyFile) -> [Int]
    /// Each breaks the rule.
    let bad: [Sample]
    /// None breaks it.
    let good: [Sample]

    var testDescription: String { name }

    func findings(in file: TidyFile) -> [TidyFinding] {
        check(file).map { TidyFinding(path: file.path, line: $0, rule: name, reason: reason) }
    }

    static func sample(_ path: String, _ text: String) -> Sample { Sample(path: path, text: text) }
}
