import Ledger

/// Records as JSON (RFC 8259).
enum JSONText {
    /// One object on one line.
    static func object(_ record: Record) -> String {
        let members = record.fields.map { "\(string($0.name)): \(text($0.value))" }
        return "{" + members.joined(separator: ", ") + "}"
    }

    /// An array with each object on a line of its own.
    static func array(_ records: [Record]) -> String {
        if records.isEmpty { return "[]" }
        return "[\n" + records.map { "  " + object($0) }.joined(separator: ",\n") + "\n]"
    }

    /// A string in quotes. Besides what the grammar demands, everything that is not plain text is
    /// escaped: control characters, line ends of Unicode and marks that turn the direction of
    /// writing.
    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if isPlain(scalar) {
                    result.unicodeScalars.append(scalar)
                } else {
                    for unit in UTF16.encode(scalar).map(Array.init) ?? [] {
                        result += escape(unit)
                    }
                }
            }
        }
        return result + "\""
    }

    private static func text(_ value: Record.Value) -> String {
        switch value {
        case .text(let text): string(text)
        case .integer(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .names(let names): "[" + names.map(string).joined(separator: ", ") + "]"
        case .facts(let state): facts(state)
        case .missing: "null"
        }
    }

    /// Facts as an object.
    static func facts(_ state: ActionState) -> String {
        let members = state.facts.map { fact in
            let value: Record.Value =
                switch fact.value {
                case .text(let text): .text(text)
                case .number(let number): .integer(number)
                case .flag(let flag): .flag(flag)
                case .names(let names): .names(names)
                }
            return "\(string(fact.name)): \(text(value))"
        }
        return "{" + members.joined(separator: ", ") + "}"
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: false
        case .format: scalar == "\u{200D}"
        default: true
        }
    }

    private static func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}
