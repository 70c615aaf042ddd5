import Postgres

/// Reads what ``ActionState/json`` wrote, also after a database has written it its own way: with
/// spaces, other escapes and in another order. Pure.
struct ActionStateReader {
    private var rest: Substring.UnicodeScalarView

    /// Reads a state; throws for anything that no program of ours has written.
    static func read(_ text: String) throws(PostgresError) -> ActionState {
        var reader = ActionStateReader(rest: text[...].unicodeScalars)
        let state = try reader.object()
        guard reader.next() == nil else { throw reader.fault }
        return state
    }

    private var fault: PostgresError {
        PostgresError(kind: .decoding(reason: "an action has a state that is no object of facts"))
    }

    /// The next scalar that is no space, which is taken; nil at the end.
    private mutating func next() -> Unicode.Scalar? {
        rest = rest.drop { " \t\r\n".unicodeScalars.contains($0) }
        return rest.popFirst()
    }

    private mutating func object() throws(PostgresError) -> ActionState {
        guard next() == "{" else { throw fault }
        var facts: [(name: String, value: ActionState.Value?)] = []
        var sign = next()
        if sign == "}" { return ActionState([]) }
        while true {
            guard sign == "\"" else { throw fault }
            let name = try string()
            guard next() == ":" else { throw fault }
            facts.append((name, try value()))
            switch next() {
            case "}": return ActionState(facts)
            case ",": sign = next()
            default: throw fault
            }
        }
    }

    private mutating func value() throws(PostgresError) -> ActionState.Value {
        guard let first = next() else { throw fault }
        switch first {
        case "\"": return .text(try string())
        case "[": return .names(try names())
        default:
            let word =
                String(first) + String(rest.prefix { !",]} \t\r\n".unicodeScalars.contains($0) })
            rest = rest.dropFirst(word.unicodeScalars.count - 1)
            if word == "true" || word == "false" { return .flag(word == "true") }
            guard let number = Int64(word) else { throw fault }
            return .number(number)
        }
    }

    private mutating func names() throws(PostgresError) -> [String] {
        var names: [String] = []
        var sign = next()
        if sign == "]" { return [] }
        while true {
            guard sign == "\"" else { throw fault }
            names.append(try string())
            switch next() {
            case "]": return names
            case ",": sign = next()
            default: throw fault
            }
        }
    }

    /// The rest of a string whose first quote is taken.
    private mutating func string() throws(PostgresError) -> String {
        var units = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return String(units)
            case "\\": units.append(try escaped())
            default: units.append(scalar)
            }
        }
        throw fault
    }

    private mutating func escaped() throws(PostgresError) -> Unicode.Scalar {
        switch rest.popFirst() {
        case "\"": return "\""
        case "\\": return "\\"
        case "/": return "/"
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            let digits = String(rest.prefix(4))
            rest = rest.dropFirst(4)
            // Beyond the first plane nothing is escaped by us or by a database: it stands as it is.
            guard digits.utf8.count == 4, let code = UInt32(digits, radix: 16),
                let scalar = Unicode.Scalar(code)
            else { throw fault }
            return scalar
        default: throw fault
        }
    }
}
