/// What must hold between the members of one object, as JSON Schema (2020-12) can say it.
struct ReferenceRule: Sendable, Equatable {
    /// What a member is like.
    struct Condition: Sendable, Equatable {
        let name: String
        /// What its value is like.
        let schema: ReferenceValue
        /// Whether a member that is absent does not fulfil it.
        let mustBeThere: Bool
    }

    /// The rule in a sentence.
    let words: String
    /// When all of these hold; always, when there are none.
    var when: [Condition] = []
    /// Then all of these must.
    var then: [Condition] = []
    /// And one of these, if there are any.
    var oneOf: [Condition] = []
}

extension ReferenceRule {
    /// The rule as a schema of the object.
    var json: ReferenceValue {
        var then = members(self.then)
        if !oneOf.isEmpty { then.append(member("anyOf", .array(oneOf.map { object([$0]) }))) }
        let comment = member("$comment", .string(words))
        guard !when.isEmpty else { return .object([comment] + then) }
        return .object([
            comment, member("if", object(when)), member("then", .object(then)),
        ])
    }

    private func object(_ conditions: [Condition]) -> ReferenceValue {
        .object(members(conditions))
    }

    private func members(_ conditions: [Condition]) -> [ReferenceValue.Member] {
        guard !conditions.isEmpty else { return [] }
        let required = conditions.filter(\.mustBeThere).map(\.name)
        return [
            member(
                "properties",
                .object(conditions.map { ReferenceValue.Member(name: $0.name, value: $0.schema) })
            )
        ] + (required.isEmpty ? [] : [member("required", .strings(required))])
    }

    private func member(_ name: String, _ value: ReferenceValue) -> ReferenceValue.Member {
        ReferenceValue.Member(name: name, value: value)
    }
}

extension ReferenceRule.Condition {
    /// It is there, and not null.
    static func given(_ name: String) -> Self {
        Self(name: name, schema: ["not": ["type": "null"]], mustBeThere: true)
    }

    /// It is absent, or null.
    static func absent(_ name: String) -> Self {
        Self(name: name, schema: ["type": "null"], mustBeThere: false)
    }

    /// It is there, and one of these.
    static func has(_ name: String, _ values: [ReferenceValue]) -> Self {
        Self(name: name, schema: ["enum": .array(values)], mustBeThere: true)
    }

    /// It is absent, null or one of these.
    static func hasOnly(_ name: String, _ values: [ReferenceValue]) -> Self {
        Self(name: name, schema: ["enum": .array(values + [.null])], mustBeThere: false)
    }

    /// It is none of these; it may be absent.
    static func hasNone(_ name: String, _ values: [ReferenceValue]) -> Self {
        Self(name: name, schema: ["not": ["enum": .array(values)]], mustBeThere: false)
    }

    /// It is there, and neither null nor an empty text, list or object.
    static func filled(_ name: String) -> Self {
        Self(
            name: name,
            schema: [
                "not": ["type": "null"], "minLength": .integer(1), "minItems": .integer(1),
                "minProperties": .integer(1),
            ],
            mustBeThere: true)
    }

    /// It is absent, null, or an empty text, list or object.
    static func empty(_ name: String) -> Self {
        Self(
            name: name,
            schema: [
                "maxLength": .integer(0), "maxItems": .integer(0), "maxProperties": .integer(0),
            ],
            mustBeThere: false)
    }

    /// It is a list of words, not all of which are this one.
    static func holdsMore(_ name: String, than word: String) -> Self {
        Self(
            name: name, schema: ["not": ["items": ["enum": [.string(word)]]]], mustBeThere: true)
    }

    /// It is absent, null, or a list of this word only.
    static func holdsOnly(_ name: String, _ word: String) -> Self {
        Self(name: name, schema: ["items": ["enum": [.string(word)]]], mustBeThere: false)
    }

    /// If it is a list of parts, none is of these types.
    static func hasNoPart(_ name: String, types: [String]) -> Self {
        Self(
            name: name,
            schema: ["items": ["properties": ["type": ["not": ["enum": .strings(types)]]]]],
            mustBeThere: false)
    }

    /// Its own member is like that. One that must be there needs the object to be there.
    static func within(_ name: String, _ inner: Self) -> Self {
        let properties: ReferenceValue = .object([
            ReferenceValue.Member(name: inner.name, value: inner.schema)
        ])
        return Self(
            name: name,
            schema: inner.mustBeThere
                ? [
                    "type": "object", "properties": properties,
                    "required": [.string(inner.name)],
                ] : ["properties": properties],
            mustBeThere: inner.mustBeThere)
    }
}
