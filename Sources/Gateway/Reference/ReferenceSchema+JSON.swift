/// A schema as OpenAPI 3.1 has it, which is JSON Schema 2020-12.
extension ReferenceSchema {
    /// The JSON of the schema.
    var json: ReferenceValue {
        var members: [ReferenceValue.Member] = []
        func add(_ name: String, _ value: ReferenceValue?) {
            if let value { members.append(ReferenceValue.Member(name: name, value: value)) }
        }
        if let type { add("type", isNullable ? [.string(type), "null"] : .string(type)) }
        if let reference {
            let target: ReferenceValue = .string("#/components/schemas/\(reference)")
            isNullable
                ? add("anyOf", [["$ref": target], ["type": "null"]]) : add("$ref", target)
        }
        if !choices.isEmpty {
            add("anyOf", .array(choices.map(\.json) + (isNullable ? [Self.null.json] : [])))
        }
        if !description.isEmpty { add("description", .string(description)) }
        if !values.isEmpty { add("enum", .array(values + (isNullable ? [.null] : []))) }
        add(excludesMinimum ? "exclusiveMinimum" : "minimum", minimum)
        add("maximum", maximum)
        let unit = ["string": "Length", "array": "Items", "object": "Properties"][type ?? ""]
        if let unit {
            add("min\(unit)", atLeast.map { .integer(Int64($0)) })
            add("max\(unit)", atMost.map { .integer(Int64($0)) })
        }
        add("pattern", pattern.map { .string($0) })
        add("items", items.first?.json)
        if !properties.isEmpty {
            add(
                "properties",
                .object(
                    properties.map {
                        ReferenceValue.Member(name: $0.name, value: $0.schema.json)
                    }))
            let required = properties.filter(\.isRequired).map(\.name)
            if !required.isEmpty { add("required", .strings(required)) }
        }
        add("propertyNames", namePattern.map { ["pattern": .string($0)] })
        add("additionalProperties", others.first?.json ?? (isClosed ? false : nil))
        if !rules.isEmpty { add("allOf", .array(rules.map(\.json))) }
        add("default", defaultValue)
        return .object(members)
    }
}
