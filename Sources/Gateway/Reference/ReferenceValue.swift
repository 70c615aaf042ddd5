import JSON

/// A JSON value that is put together rather than read, with its members in the order written.
enum ReferenceValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([ReferenceValue])
    case object([Member])
    /// A JSON text that another writer made.
    case json([UInt8])

    /// One member of an object.
    struct Member: Sendable, Equatable {
        let name: String
        let value: ReferenceValue
    }

    /// An array of strings.
    static func strings(_ texts: [String]) -> ReferenceValue {
        .array(texts.map { .string($0) })
    }

    /// Writes the value.
    func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .integer(let value): writer.integer(value)
        case .number(let value):
            if let whole = Int64(exactly: value) {
                writer.integer(whole)
            } else {
                writer.double(value)
            }
        case .string(let value): writer.string(value)
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .object(let members):
            writer.beginObject()
            for member in members {
                writer.key(member.name)
                member.value.write(to: &writer)
            }
            writer.endObject()
        case .json(let text): writer.raw(text)
        }
    }

    /// The JSON text.
    var text: String {
        var writer = JSONWriter(capacity: 64)
        write(to: &writer)
        return String(decoding: writer.finish(), as: UTF8.self)
    }
}

extension ReferenceValue: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByArrayLiteral, ExpressibleByBooleanLiteral
{
    init(stringLiteral value: String) { self = .string(value) }

    init(booleanLiteral value: Bool) { self = .bool(value) }

    init(arrayLiteral elements: ReferenceValue...) { self = .array(elements) }

    init(dictionaryLiteral elements: (String, ReferenceValue)...) {
        self = .object(elements.map { Member(name: $0.0, value: $0.1) })
    }
}
