/// A value that the admin HTTP API takes, in the path, the query or the body, and how the command
/// that answers is told it.
struct AdminField: Sendable {
    /// What it is in JSON. In a path and a query everything is text.
    enum Kind: Sendable, Equatable {
        case text, integer, flag, texts
        /// A number or a text, such as 2.5 or "2.50": an amount that is read exactly.
        case amount
    }

    /// How it stands on the command line.
    enum Spelling: Sendable {
        /// `--option=value`; several values one after the other.
        case option(String)
        /// `--option=one,two`.
        case joined(String)
        /// `--flag` for true; for false the other one, or nothing.
        case flag(String, otherwise: String?)
        /// By its place.
        case argument
    }

    /// As it is written in JSON and in a query.
    let name: String
    let kind: Kind
    /// What it means, in one sentence.
    let meaning: String
    let spelling: Spelling
    /// Whether a request without it is refused.
    var isRequired = false
    /// What `null` stands for; nil where it is as if the field were missing.
    var null: String?
    /// The only values; nil for any.
    var values: [String]?

    /// A text that is an option of the same name.
    static func text(_ name: String, _ meaning: String, values: [String]? = nil) -> AdminField {
        AdminField(
            name: name, kind: .text, meaning: meaning, spelling: .option(option(name)),
            values: values)
    }

    /// A whole number that is an option of the same name.
    static func integer(_ name: String, _ meaning: String) -> AdminField {
        AdminField(name: name, kind: .integer, meaning: meaning, spelling: .option(option(name)))
    }

    /// A flag of the same name.
    static func flag(_ name: String, _ meaning: String, otherwise: String? = nil) -> AdminField {
        AdminField(
            name: name, kind: .flag, meaning: meaning,
            spelling: .flag(option(name), otherwise: otherwise))
    }

    /// Texts that are a repeatable option.
    static func texts(
        _ name: String, _ meaning: String, as option: String? = nil, values: [String]? = nil
    ) -> AdminField {
        AdminField(
            name: name, kind: .texts, meaning: meaning,
            spelling: .option(option ?? Self.option(name)), values: values)
    }

    /// Texts that are one option, separated by commas.
    static func list(
        _ name: String, _ meaning: String, null: String? = nil, values: [String]? = nil
    ) -> AdminField {
        AdminField(
            name: name, kind: .texts, meaning: meaning, spelling: .joined(option(name)),
            null: null, values: values)
    }

    /// An amount that is an option of the same name.
    static func amount(_ name: String, _ meaning: String) -> AdminField {
        AdminField(name: name, kind: .amount, meaning: meaning, spelling: .option(option(name)))
    }

    /// A text that has its place on the command line.
    static func argument(_ name: String, _ meaning: String) -> AdminField {
        AdminField(name: name, kind: .text, meaning: meaning, spelling: .argument)
    }

    /// How an export is written, which the API sees to itself.
    static let format = text(
        "format", "jsonl, an object on each line, or csv. Without it: jsonl.",
        values: AdminExport.Form.allCases.map(\.rawValue))

    /// The same, without which a request is refused.
    var required: AdminField {
        var field = self
        field.isRequired = true
        return field
    }

    /// The same, where `null` stands for a flag.
    func null(_ flag: String) -> AdminField {
        var field = self
        field.null = flag
        return field
    }

    /// The option of a name: `stream_usage` is `--stream-usage`.
    static func option(_ name: String) -> String {
        "--" + name.map { $0 == "_" ? "-" : String($0) }.joined()
    }
}

/// The words of a command line, in the making.
struct AdminWords {
    /// Options, each one word.
    private(set) var options: [String] = []
    /// What is read by its place.
    private(set) var arguments: [String] = []

    /// Adds values of a field: one of them, but for lists.
    mutating func add(_ values: [String], of field: AdminField) {
        switch field.spelling {
        case .option(let option): options += values.map { "\(option)=\($0)" }
        case .joined(let option): options.append("\(option)=\(values.joined(separator: ","))")
        case .flag(let flag, let otherwise):
            if values.first == "true" {
                options.append(flag)
            } else if let otherwise {
                options.append(otherwise)
            }
        case .argument: arguments += values
        }
    }

    /// Adds an option that is one word already.
    mutating func add(option: String) { options.append(option) }

    /// All of them; nothing behind the two dashes is read as an option.
    var all: [String] { options + ["--"] + arguments }
}
