/// Why a configuration cannot be used: every problem of the file, in the order of its lines.
public struct ConfigurationFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// At least one.
    public let problems: [ConfigurationProblem]

    /// Makes a failure of at least one problem, put in the order of their lines.
    public init(problems: [ConfigurationProblem]) {
        precondition(!problems.isEmpty, "a failure has a problem")
        // The sort is stable by hand: two problems of one line stay in the order they were found.
        self.problems = problems.enumerated()
            .sorted { ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset) }
            .map(\.element)
    }

    /// One line for each problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// One thing that is wrong in a configuration, and what would be right.
public struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
    /// The file as it was named.
    public let file: String
    /// The line, from 1; nil when the whole file is meant.
    public let line: Int?
    /// The key with its way from the top, as in `backends.local.slots`; nil when the whole file is
    /// meant.
    public let key: String?
    /// What is wrong and what is accepted. Never quotes a secret.
    public let message: String

    /// Makes a problem.
    public init(file: String, line: Int?, key: String?, message: String) {
        self.file = file
        self.line = line
        self.key = key
        self.message = message
    }

    /// `FILE:LINE: KEY: MESSAGE`.
    public var description: String {
        [line.map { "\(file):\($0)" } ?? file, key, message]
            .compactMap(\.self).joined(separator: ": ")
    }
}
