extension PostgresValue {
    /// The binary form, or nil for a null.
    var encoding: (any BinaryEncodable)? {
        switch self {
        case .null: nil
        case .bool(let value): value
        case .int2(let value): value
        case .int4(let value): value
        case .int8(let value): value
        case .float8(let value): value
        case .text(let value): value
        case .bytes(let value): ByteString(bytes: value)
        case .uuid(let value): value
        case .timestamp(let value): WireTimestamp(microseconds: value)
        case .date(let value): WireDate(days: value)
        default: arrayEncoding
        }
    }

    private var arrayEncoding: any BinaryEncodable {
        switch self {
        case .bools(let values): WireArray(.bool, values)
        case .int2s(let values): WireArray(.int2, values)
        case .int4s(let values): WireArray(.int4, values)
        case .int8s(let values): WireArray(.int8, values)
        case .texts(let values): WireArray(.text, values)
        case .uuids(let values): WireArray(.uuid, values)
        case .timestamps(let values): WireArray(.timestamptz, values, WireTimestamp.init)
        case .dates(let values): WireArray(.date, values, WireDate.init)
        case .bytesArray(let values): WireArray(.bytea, values, ByteString.init)
        case .optionalInt4s(let values): WireArray(nullable: .int4, values)
        case .optionalInt8s(let values): WireArray(nullable: .int8, values)
        case .optionalTexts(let values): WireArray(nullable: .text, values)
        case .optionalUUIDs(let values): WireArray(nullable: .uuid, values)
        case .optionalTimestamps(let values):
            WireArray(nullable: .timestamptz, values, WireTimestamp.init)
        case .null, .bool, .int2, .int4, .int8, .float8, .text, .bytes, .uuid, .timestamp, .date:
            preconditionFailure("a single value is encoded by itself")
        }
    }
}

/// A one-dimensional array in Postgres' binary format.
///
/// The layout: the number of dimensions (0 for an empty array), whether there are nulls, the
/// element type; then the length and the first index, which is 1; then each element as its length
/// and bytes, a null as the length -1. Source: `array_send` in PostgreSQL's `arrayfuncs.c`.
struct WireArray<Source, Element: BinaryEncodable>: BinaryEncodable {
    private let elementType: PostgresType
    private let source: [Source]
    private let hasNulls: Bool
    /// Gives the element to write, or nil for a null.
    private let element: (Source) -> Element?

    init(_ type: PostgresType, _ values: [Source], _ wrap: @escaping (Source) -> Element) {
        (elementType, source, hasNulls, element) = (type, values, false, wrap)
    }

    init(_ type: PostgresType, _ values: [Source]) where Source == Element {
        self.init(type, values) { $0 }
    }

    init<Value>(
        nullable type: PostgresType, _ values: [Value?], _ wrap: @escaping (Value) -> Element
    ) where Source == Value? {
        (elementType, source) = (type, values)
        hasNulls = values.contains { $0 == nil }
        element = { $0.map(wrap) }
    }

    init(nullable type: PostgresType, _ values: [Element?]) where Source == Element? {
        self.init(nullable: type, values) { $0 }
    }

    var encodedSize: Int {
        if source.isEmpty { return 12 }
        return source.reduce(20) { $0 + 4 + (element($1)?.encodedSize ?? 0) }
    }

    func write(to writer: inout BinaryWriter) {
        writer.write(number: source.isEmpty ? 0 : 1 as Int32)
        writer.write(number: hasNulls ? 1 : 0 as Int32)
        writer.write(number: elementType.oid)
        if source.isEmpty { return }
        writer.write(number: Int32(source.count))
        writer.write(number: 1 as Int32)
        for value in source {
            guard let element = element(value) else {
                writer.write(number: -1 as Int32)
                continue
            }
            writer.write(number: Int32(element.encodedSize))
            element.write(to: &writer)
        }
    }
}
