import JSON

@testable import Gateway

/// Holds JSON against the schemas of a reference, and remembers which of their members it has seen.
struct SchemaWalk {
    private let schemas: [String: ReferenceSchema]
    private var seen: Set<String> = []
    /// What was not as described.
    private(set) var faults: [String] = []

    /// A walk that has seen nothing.
    init(_ reference: APIReference) {
        schemas = Dictionary(reference.objects.map { ($0.name, $0.schema) }) { _, later in later }
    }

    /// Holds a text against the schema of a name.
    mutating func check(_ text: [UInt8], is name: String) throws {
        let parser = JSONParser(maximumBytes: 1 << 20, maximumDepth: 64, maximumNodes: 10_000)
        let document = try parser.parse(text.span)
        check(document.root, ReferenceSchema.named(name), at: name)
    }

    /// The described members of these objects, and of those within, that were never seen.
    func unseen(of names: [String]) -> [String] {
        names.flatMap { name in
            schemas[name].map { paths(of: $0, at: name) } ?? []
        }.filter { !seen.contains($0) }
    }

    private func paths(of schema: ReferenceSchema, at path: String) -> [String] {
        schema.properties.flatMap { property in
            ["\(path).\(property.name)"]
                + paths(of: property.schema, at: "\(path).\(property.name)")
        }
    }

    private mutating func check(_ value: JSONValue, _ schema: ReferenceSchema, at path: String) {
        if value.isNull, schema.isNullable || schema.type == "null" { return }
        if let name = schema.reference {
            guard let named = schemas[name] else { return faults.append("no schema \(name)") }
            return check(value, named, at: name)
        }
        if !schema.choices.isEmpty {
            // The first that it is; where it is none, what is wrong with the last.
            var tried = self
            for choice in schema.choices {
                tried = self
                tried.check(value, choice, at: path)
                if tried.faults.count == faults.count { break }
            }
            self = tried
            return
        }
        guard isType(schema.type, value) else {
            return faults.append("\(path) is no \(schema.type ?? "")")
        }
        if !schema.values.isEmpty,
            !schema.values.contains(where: { $0 == .string(value.string ?? "") })
        {
            faults.append("\(path) is none of its words")
        }
        for element in schema.type == "array" ? Array(value.elements) : [] {
            for items in schema.items { check(element, items, at: path) }
        }
        guard schema.type == "object" else { return }
        for property in schema.properties {
            guard let member = value[property.name] else {
                if property.isRequired { faults.append("\(path).\(property.name) is missing") }
                continue
            }
            seen.insert("\(path).\(property.name)")
            check(member, property.schema, at: "\(path).\(property.name)")
        }
        guard schema.isClosed else { return }
        for member in value.members
        where !schema.properties.contains(where: { $0.name == member.key }) {
            faults.append("\(path).\(member.key) is not described")
        }
    }

    private func isType(_ type: String?, _ value: JSONValue) -> Bool {
        switch type {
        case "string": value.string != nil
        case "integer": value.exactInteger != nil
        case "number": value.double != nil
        case "boolean": value.bool != nil
        case "array": value.kind == .array
        case "object": value.kind == .object
        default: true
        }
    }
}
