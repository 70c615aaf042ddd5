import JSON

@testable import Gateway

/// Holds a value against a schema as JSON Schema (2020-12, "Validation") says, as far as rules between
/// members use it.
enum RuleEvaluation {
    /// Whether a value is as the schema says; both are JSON texts that were parsed.
    static func holds(_ value: JSONValue, _ schema: JSONValue) -> Bool {
        for member in schema.members {
            let (rule, word) = (member.value, member.key)
            switch word {
            case "$comment": continue
            case "properties":
                for property in rule.members {
                    guard value.kind == .object, let own = value[property.key] else { continue }
                    guard holds(own, property.value) else { return false }
                }
            case "required":
                guard value.kind == .object else { continue }
                for name in rule.elements where value[name.string ?? ""] == nil { return false }
            case "items":
                guard value.kind == .array else { continue }
                for element in value.elements where !holds(element, rule) { return false }
            case "enum":
                guard rule.elements.contains(where: { isSame($0, value) }) else { return false }
            case "type":
                let types = rule.kind == .array ? Array(rule.elements) : [rule]
                guard types.contains(where: { isType($0.string ?? "", value) }) else {
                    return false
                }
            case "not": if holds(value, rule) { return false }
            case "anyOf":
                guard rule.elements.contains(where: { holds(value, $0) }) else { return false }
            case "allOf":
                guard rule.elements.allSatisfy({ holds(value, $0) }) else { return false }
            case "if":
                guard let then = schema["then"] else { return false }
                if holds(value, rule), !holds(value, then) { return false }
            case "then": continue
            case "minLength", "maxLength", "minItems", "maxItems", "minProperties",
                "maxProperties":
                guard isWithin(value, word, rule.integer ?? -1) else { return false }
            default: return false
            }
        }
        return true
    }

    private static func isWithin(_ value: JSONValue, _ word: String, _ limit: Int64) -> Bool {
        let count: Int
        switch (value.kind, word.dropFirst(3)) {
        case (.string, "Length"): count = value.string?.unicodeScalars.count ?? 0
        case (.array, "Items"), (.object, "Properties"): count = value.count
        default: return true
        }
        return word.hasPrefix("min") ? count >= limit : count <= limit
    }

    /// Words, truths and null are all that rules compare.
    private static func isSame(_ one: JSONValue, _ other: JSONValue) -> Bool {
        one.kind == other.kind && one.string == other.string && one.bool == other.bool
    }

    private static func isType(_ type: String, _ value: JSONValue) -> Bool {
        switch type {
        case "null": value.isNull
        case "string": value.kind == .string
        case "array": value.kind == .array
        case "object": value.kind == .object
        default: false
        }
    }
}
