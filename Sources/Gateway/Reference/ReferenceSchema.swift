/// What a value may be: the part of JSON Schema (2020-12) that the API needs.
struct ReferenceSchema: Sendable, Equatable {
    /// One member of an object.
    struct Property: Sendable, Equatable {
        let name: String
        var schema: ReferenceSchema
        var isRequired = false
    }

    /// `string`, `number`, `integer`, `boolean`, `object`, `array`; nil where other members say it.
    var type: String?
    /// For people, in sentences.
    var description = ""
    /// Null is allowed too: the same as absent.
    var isNullable = false
    /// The only values; empty where there are others.
    var values: [ReferenceValue] = []
    var minimum: ReferenceValue?
    var maximum: ReferenceValue?
    /// Whether the minimum itself is refused.
    var excludesMinimum = false
    /// Of a string in characters, of an array in items, of an object in members.
    var atLeast: Int?
    var atMost: Int?
    var pattern: String?
    /// Of an array: at most one.
    var items: [ReferenceSchema] = []
    var properties: [Property] = []
    /// Of an object: what members of other names are, at most one.
    var others: [ReferenceSchema] = []
    /// Of an object: whether members of other names are there at all.
    var isClosed = false
    /// Of an object: what its names match.
    var namePattern: String?
    /// Of an object: what holds between its members.
    var rules: [ReferenceRule] = []
    /// One of these.
    var choices: [ReferenceSchema] = []
    /// The name of a schema that the document has once.
    var reference: String?
    var defaultValue: ReferenceValue?
    /// The default in words, where it is no fixed value.
    var defaultWords: String?
}

extension ReferenceSchema {
    static let bool = ReferenceSchema(type: "boolean")
    static let string = ReferenceSchema(type: "string")
    static let null = ReferenceSchema(type: "null")
    static let count = ReferenceSchema(type: "integer", minimum: .integer(0))
    static let amount = ReferenceSchema(type: "number", minimum: .integer(0))
    /// An object whose members are the client's own.
    static let anyObject = ReferenceSchema(type: "object")

    static func string(_ length: ClosedRange<Int>) -> ReferenceSchema {
        ReferenceSchema(
            type: "string", atLeast: least(length), atMost: most(length))
    }

    static func number(_ range: ClosedRange<Double>) -> ReferenceSchema {
        ReferenceSchema(
            type: "number", minimum: .number(range.lowerBound), maximum: .number(range.upperBound))
    }

    static func integer(_ range: ClosedRange<Int64>) -> ReferenceSchema {
        ReferenceSchema(
            type: "integer", minimum: .integer(range.lowerBound),
            maximum: .integer(range.upperBound))
    }

    static func words(_ words: [String]) -> ReferenceSchema {
        ReferenceSchema(type: "string", values: words.map { .string($0) })
    }

    /// The words of a type that the reader knows by the same type.
    static func words<Word: RawRepresentable<String> & CaseIterable>(
        _ type: Word.Type
    ) -> ReferenceSchema {
        words(type.allCases.map(\.rawValue))
    }

    static func array(
        _ items: ReferenceSchema, _ count: ClosedRange<Int> = 0...Int.max
    ) -> ReferenceSchema {
        ReferenceSchema(type: "array", atLeast: least(count), atMost: most(count), items: [items])
    }

    /// A bound that bounds nothing is not told.
    private static func least(_ range: ClosedRange<Int>) -> Int? {
        range.lowerBound == 0 ? nil : range.lowerBound
    }

    private static func most(_ range: ClosedRange<Int>) -> Int? {
        range.upperBound == .max ? nil : range.upperBound
    }

    static func object(_ properties: [Property], isClosed: Bool = false) -> ReferenceSchema {
        ReferenceSchema(type: "object", properties: properties, isClosed: isClosed)
    }

    static func choice(_ choices: [ReferenceSchema]) -> ReferenceSchema {
        ReferenceSchema(choices: choices)
    }

    static func named(_ name: String) -> ReferenceSchema { ReferenceSchema(reference: name) }

    /// A name of a function or a schema.
    static let name = {
        var schema = string(ParameterLimits.nameLength)
        schema.pattern = "^[A-Za-z0-9_-]+$"
        return schema
    }()

    /// The same with a description.
    func saying(_ text: String) -> ReferenceSchema { with { $0.description = text } }

    /// The same, of which these rules hold.
    func following(_ rules: [ReferenceRule]) -> ReferenceSchema { with { $0.rules = rules } }

    /// The same with a default.
    func defaulting(to value: ReferenceValue) -> ReferenceSchema {
        with { $0.defaultValue = value }
    }

    /// The same with a default that depends.
    func defaulting(inWords words: String) -> ReferenceSchema { with { $0.defaultWords = words } }

    /// The same, or null.
    var orNull: ReferenceSchema { with { $0.isNullable = true } }

    private func with(_ change: (inout ReferenceSchema) -> Void) -> ReferenceSchema {
        var copy = self
        change(&copy)
        return copy
    }
}

extension ReferenceSchema.Property {
    /// A member that must be there.
    static func required(_ name: String, _ schema: ReferenceSchema) -> Self {
        Self(name: name, schema: schema, isRequired: true)
    }

    /// A member of a request that may be left out, or be null, which is the same.
    static func optional(_ name: String, _ schema: ReferenceSchema) -> Self {
        Self(name: name, schema: schema.orNull)
    }

    /// A member of an answer that is not always there.
    static func sometimes(_ name: String, _ schema: ReferenceSchema) -> Self {
        Self(name: name, schema: schema)
    }
}
