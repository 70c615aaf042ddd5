/// A parameter of a statement, sent in Postgres' binary format under its own type.
public enum PostgresValue: Sendable, Hashable {
    /// No value. The server infers the type from where the parameter stands.
    case null
    /// `bool`.
    case bool(Bool)
    /// `int2`.
    case int2(Int16)
    /// `int4`.
    case int4(Int32)
    /// `int8`.
    case int8(Int64)
    /// `float8`.
    case float8(Double)
    /// `text`. A zero character is refused by the server (22021).
    case text(String)
    /// `bytea`.
    case bytes([UInt8])
    /// `uuid`; the first byte of the UUID is the most significant one of the number.
    case uuid(UInt128)
    /// `timestamptz`: microseconds since 1970-01-01 UTC; the largest number is `infinity`, the
    /// smallest `-infinity`.
    case timestamp(Int64)
    /// `date`: days since 1970-01-01; the largest number is `infinity`, the smallest `-infinity`.
    case date(Int32)

    /// `bool[]`.
    case bools([Bool])
    /// `int2[]`.
    case int2s([Int16])
    /// `int4[]`.
    case int4s([Int32])
    /// `int8[]`.
    case int8s([Int64])
    /// `text[]`.
    case texts([String])
    /// `uuid[]`, each as in `uuid`.
    case uuids([UInt128])
    /// `timestamptz[]`, each as in `timestamp`.
    case timestamps([Int64])
    /// `date[]`, each as in `date`.
    case dates([Int32])
    /// `bytea[]`.
    case bytesArray([[UInt8]])

    /// `int4[]` with nulls.
    case optionalInt4s([Int32?])
    /// `int8[]` with nulls.
    case optionalInt8s([Int64?])
    /// `text[]` with nulls.
    case optionalTexts([String?])
    /// `uuid[]` with nulls.
    case optionalUUIDs([UInt128?])
    /// `timestamptz[]` with nulls.
    case optionalTimestamps([Int64?])
}

extension PostgresValue {
    /// The type announced to the server.
    var type: PostgresType {
        switch self {
        case .null: .unspecified
        case .bool: .bool
        case .int2: .int2
        case .int4: .int4
        case .int8: .int8
        case .float8: .float8
        case .text: .text
        case .bytes: .bytea
        case .uuid: .uuid
        case .timestamp: .timestamptz
        case .date: .date
        case .bools: .boolArray
        case .int2s: .int2Array
        case .int4s, .optionalInt4s: .int4Array
        case .int8s, .optionalInt8s: .int8Array
        case .texts, .optionalTexts: .textArray
        case .uuids, .optionalUUIDs: .uuidArray
        case .timestamps, .optionalTimestamps: .timestamptzArray
        case .dates: .dateArray
        case .bytesArray: .byteaArray
        }
    }
}
