/// Puts the environment's values into a text: `${NAME}` is replaced, `$${` stands for `${` itself.
enum EnvironmentText {
    /// Why a text could not be completed.
    enum Fault: Error, Equatable {
        /// `${` without its `}`.
        case unfinished
        /// Between the braces stands no name.
        case badName(String)
        /// The environment does not have it.
        case missing(String)
    }

    /// Replaces every `${NAME}` of `text`. Values are not looked into again.
    static func complete(
        _ text: String, from environment: (String) -> String?
    ) throws(Fault) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else { throw .unfinished }
                let name = String(rest[..<end].dropFirst(2))
                guard isName(name) else { throw .badName(name) }
                guard let value = environment(name) else { throw .missing(name) }
                result += value
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    /// Whether `text` is a name that a shell would take for a variable.
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128, !(48...57).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || byte == UInt8(ascii: "_")
        }
    }
}
