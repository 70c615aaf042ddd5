import Foundation

/// The manual page, in the macros of man(7), of what the argument parser says of its commands.
struct ManualPage {
    /// What is read of the argument parser's description (`ToolInfoV0` of swift-argument-parser).
    private struct Tool: Decodable {
        let command: Command
    }

    private struct Command: Decodable {
        let commandName: String
        let shouldDisplay: Bool
        let abstract: String?
        let discussion: String?
        let subcommands: [Command]?
        let arguments: [Argument]?
    }

    private struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String

            var text: String { (kind == "long" ? "--" : "-") + name }
        }

        let kind: String
        let shouldDisplay: Bool
        let isOptional: Bool
        let isRepeating: Bool
        let names: [Name]?
        let valueName: String?
        let defaultValue: String?
        let abstract: String?
    }

    /// The page's source.
    let text: String

    /// Makes the page; nil when the description cannot be read.
    init?(dump: String) {
        guard let tool = try? JSONDecoder().decode(Tool.self, from: Data(dump.utf8)) else {
            // The caller says so: a page of another parser's description would be empty.
            return nil
        }
        var page = Page()
        let root = tool.command
        page.line(".TH \(root.commandName.uppercased()) 1 \"\" \"Turnpike\" \"Turnpike\"")
        page.line(".SH NAME")
        page.line("\(root.commandName) \\- \(Page.escaped(Self.unstopped(root.abstract ?? "")))")
        page.line(".SH COMMANDS")
        Self.describe(root, path: [], &page)
        for topic in ManualTopic.allCases {
            page.line(".SH \(topic.title)")
            for entry in topic.entries {
                if let name = entry.name { page.term(name) } else { page.line(".PP") }
                page.words(entry.text)
            }
        }
        text = page.text
    }

    private static func describe(_ command: Command, path: [String], _ page: inout Page) {
        let path = path + [command.commandName]
        let below = (command.subcommands ?? []).filter {
            $0.shouldDisplay && $0.commandName != "help"
        }
        let arguments = (command.arguments ?? []).filter {
            $0.shouldDisplay && $0.names?.contains { $0.name == "help" } != true
        }
        page.line(".SS \(Page.escaped(path.joined(separator: " ")))")
        if let abstract = command.abstract { page.words(abstract) }
        if below.isEmpty {
            page.line(".PP")
            page.line(".B \(Page.escaped(path.joined(separator: " ")))")
            page.words(arguments.map(usage).joined(separator: " "))
        }
        for argument in arguments {
            page.term(label(argument))
            let value = argument.defaultValue.map { " (default: \($0))" } ?? ""
            page.words((argument.abstract ?? "") + value)
        }
        if let discussion = command.discussion { page.discussion(discussion) }
        for command in below { describe(command, path: path, &page) }
    }

    private static func label(_ argument: Argument) -> String {
        let value = argument.valueName.map { "<\($0)>" } ?? ""
        if argument.kind == "positional" { return value }
        let names = (argument.names ?? []).map(\.text).joined(separator: ", ")
        return argument.kind == "option" ? "\(names) \(value)" : names
    }

    private static func usage(_ argument: Argument) -> String {
        let text = label(argument) + (argument.isRepeating ? " ..." : "")
        return argument.isOptional ? "[\(text)]" : text
    }

    private static func unstopped(_ text: String) -> String {
        text.hasSuffix(".") ? String(text.dropLast()) : text
    }
}

/// Lines of roff.
private struct Page {
    private(set) var text = ""

    /// A line as it stands.
    mutating func line(_ line: String) { text += line + "\n" }

    /// Text that is filled.
    mutating func words(_ words: String) { if !words.isEmpty { line(Self.escaped(words)) } }

    /// A name whose meaning follows.
    mutating func term(_ name: String) {
        line(".TP")
        line(".B \(Self.escaped(name))")
    }

    /// Paragraphs; those that begin indented or follow `Example:` stay as they are.
    mutating func discussion(_ text: String) {
        for paragraph in text.split(separator: "\n\n") {
            let lines = paragraph.split(separator: "\n")
            line(".PP")
            if lines.count > 1, lines.dropFirst().allSatisfy({ $0.hasPrefix("  ") }) {
                words(String(lines[0]))
                line(".PP")
                line(".nf")
                for part in lines.dropFirst() { line(Self.escaped(String(part))) }
                line(".fi")
            } else {
                words(lines.joined(separator: " "))
            }
        }
    }

    /// Without anything that roff would take for a command, a hyphen to break at or an accent.
    static func escaped(_ text: String) -> String {
        let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
            .replacing("\n", with: " ").replacing("'", with: "\\(aq").replacing("`", with: "\\(ga")
        let portable = plain.unicodeScalars.map { scalar in
            scalar.isASCII ? String(scalar) : "\\[u\(hexadecimal(scalar.value))]"
        }.joined()
        return portable.hasPrefix(".") ? "\\&" + portable : portable
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
