import Domain

/// What an action found, or left: facts by name, in order. Stored as one JSON object.
///
/// Never a secret: what is told of a key are its terms and its state.
public struct ActionState: Sendable, Hashable {
    /// What a fact says.
    public enum Value: Sendable, Hashable {
        case text(String)
        case number(Int64)
        case flag(Bool)
        case names([String])

        /// An instant in ISO 8601, in UTC to the second.
        static func instant(_ instant: Timestamp) -> Value {
            let seconds = instant.seconds - instant.day.start.seconds
            let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60]
                .map { $0 < 10 ? "0\($0)" : "\($0)" }
            return .text("\(instant.day)T\(clock.joined(separator: ":"))Z")
        }
    }

    /// One fact.
    public struct Fact: Sendable, Hashable {
        /// Its name, in the glossary's words.
        public let name: String
        /// What it says.
        public let value: Value
    }

    /// The facts in order.
    public let facts: [Fact]

    /// Makes a state of its facts; what has no value is left out.
    public init(_ facts: [(name: String, value: Value?)]) {
        self.facts = facts.compactMap { name, value in value.map { Fact(name: name, value: $0) } }
    }

    /// What the fact of that name says, if there is one.
    public subscript(_ name: String) -> Value? { facts.first { $0.name == name }?.value }
}

extension ActionState {
    /// The state as a JSON object (RFC 8259), with its facts in order.
    public var json: String {
        let members = facts.map { "\(Self.quoted($0.name)):\(Self.text($0.value))" }
        return "{" + members.joined(separator: ",") + "}"
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .text(let text): quoted(text)
        case .number(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .names(let names): "[" + names.map(quoted).joined(separator: ",") + "]"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
