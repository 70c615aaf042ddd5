import JSON

/// Holds a JSON value against a schema of the admin API's own description: what JSON Schema says of
/// types, properties, items and choices, which is all that the description uses.
struct SchemaCheck {
    /// The whole description, for references.
    let document: JSONValue

    /// Everything that is wrong with a value.
    func faults(_ value: JSONValue, _ schema: JSONValue, at place: String = "$") -> [String] {
        if let reference = schema["$ref"]?.string {
            var target: JSONValue? = document
            for step in reference.dropFirst(2).split(separator: "/") {
                target = target?[String(step)]
            }
            guard let target else { return ["\(place): \(reference) is not there"] }
            return faults(value, target, at: place)
        }
        let types = Self.texts(schema["type"])
        let type = Self.type(value)
        guard types.isEmpty || types.contains(type) else {
            return ["\(place): \(type) where \(types) is described"]
        }
        var found: [String] = []
        if let text = value.string, schema["enum"] != nil,
            !Self.texts(schema["enum"]).contains(text)
        {
            found.append("\(place): \(text) is none of those described")
        }
        if schema["format"]?.string == "date-time", let text = value.string,
            text.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/#) == nil
        {
            found.append("\(place): \(text) is no time")
        }
        if value.kind == .object {
            for name in Self.texts(schema["required"]) where value[name] == nil {
                found.append("\(place).\(name) is missing")
            }
            for (name, member) in value.members {
                if let property = schema["properties"]?[name] {
                    found += faults(member, property, at: "\(place).\(name)")
                } else if schema["additionalProperties"]?.bool == false {
                    found.append("\(place).\(name) is not described")
                }
            }
        }
        if let items = schema["items"] {
            for element in value.elements { found += faults(element, items, at: place + "[]") }
        }
        return found
    }

    private static func texts(_ value: JSONValue?) -> [String] {
        guard let value else { return [] }
        return value.string.map { [$0] } ?? value.elements.compactMap(\.string)
    }

    private static func type(_ value: JSONValue) -> String {
        switch value.kind {
        case .null: "null"
        case .object: "object"
        case .array: "array"
        case .string: "string"
        case .integer, .unsigned: "integer"
        case .double: "number"
        case .bool: "boolean"
        }
    }
}
