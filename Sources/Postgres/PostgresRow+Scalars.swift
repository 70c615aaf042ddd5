extension PostgresRow {
    /// An `int8`, or an `int4` or `int2`, which fit into one.
    public func int8(_ column: Int) throws(PostgresError) -> Int64 {
        try required(column, "an int8, int4 or int2", Self.readInt8)
    }

    /// Like `int8`, or nil for a null.
    public func optionalInt8(_ column: Int) throws(PostgresError) -> Int64? {
        try decode(column, "an int8, int4 or int2", Self.readInt8)
    }

    /// An `int4`, or an `int2`, which fits into one.
    public func int4(_ column: Int) throws(PostgresError) -> Int32 {
        try required(column, "an int4 or int2", Self.readInt4)
    }

    /// Like `int4`, or nil for a null.
    public func optionalInt4(_ column: Int) throws(PostgresError) -> Int32? {
        try decode(column, "an int4 or int2", Self.readInt4)
    }

    /// A `text` or another type that is text in the binary format: `varchar`, `char`, `name`,
    /// `json`.
    public func text(_ column: Int) throws(PostgresError) -> String {
        try required(column, "UTF-8 text", Self.readText)
    }

    /// Like `text`, or nil for a null.
    public func optionalText(_ column: Int) throws(PostgresError) -> String? {
        try decode(column, "UTF-8 text", Self.readText)
    }

    /// A `uuid`; its first byte is the most significant one of the number.
    public func uuid(_ column: Int) throws(PostgresError) -> UInt128 {
        try required(column, "a uuid", Self.readUUID)
    }

    /// Like `uuid`, or nil for a null.
    public func optionalUUID(_ column: Int) throws(PostgresError) -> UInt128? {
        try decode(column, "a uuid", Self.readUUID)
    }

    /// An `int2`.
    public func int2(_ column: Int) throws(PostgresError) -> Int16 {
        try required(column, "an int2", Self.readInt2)
    }

    /// Like `int2`, or nil for a null.
    public func optionalInt2(_ column: Int) throws(PostgresError) -> Int16? {
        try decode(column, "an int2", Self.readInt2)
    }

    /// A `float8`.
    public func float8(_ column: Int) throws(PostgresError) -> Double {
        try required(column, "a float8", Self.readFloat8)
    }

    /// Like `float8`, or nil for a null.
    public func optionalFloat8(_ column: Int) throws(PostgresError) -> Double? {
        try decode(column, "a float8", Self.readFloat8)
    }

    /// A `bool`.
    public func bool(_ column: Int) throws(PostgresError) -> Bool {
        try required(column, "a bool", Self.readBool)
    }

    /// Like `bool`, or nil for a null.
    public func optionalBool(_ column: Int) throws(PostgresError) -> Bool? {
        try decode(column, "a bool", Self.readBool)
    }

    /// A `bytea`.
    public func bytes(_ column: Int) throws(PostgresError) -> [UInt8] {
        try required(column, "a bytea", Self.readBytes)
    }

    /// Like `bytes`, or nil for a null.
    public func optionalBytes(_ column: Int) throws(PostgresError) -> [UInt8]? {
        try decode(column, "a bytea", Self.readBytes)
    }

    /// A `timestamptz` as microseconds since 1970-01-01 UTC; `infinity` is the largest number.
    public func timestamp(_ column: Int) throws(PostgresError) -> Int64 {
        try required(
            column, "a timestamptz that can be counted in microseconds since 1970",
            Self.readTimestamp)
    }

    /// Like `timestamp`, or nil for a null.
    public func optionalTimestamp(_ column: Int) throws(PostgresError) -> Int64? {
        try decode(
            column, "a timestamptz that can be counted in microseconds since 1970",
            Self.readTimestamp)
    }

    /// A `date` as days since 1970-01-01; `infinity` is the largest number.
    public func date(_ column: Int) throws(PostgresError) -> Int32 {
        try required(column, "a date that can be counted in days since 1970", Self.readDate)
    }

    /// Like `date`, or nil for a null.
    public func optionalDate(_ column: Int) throws(PostgresError) -> Int32? {
        try decode(column, "a date that can be counted in days since 1970", Self.readDate)
    }

    private static func readInt8(_ type: PostgresType, _ reader: inout BinaryReader) -> Int64? {
        type == .int8
            ? reader.wholeNumber(Int64.self)
            : readInt4(type, &reader).map(Int64.init)
    }

    private static func readInt4(_ type: PostgresType, _ reader: inout BinaryReader) -> Int32? {
        type == .int4
            ? reader.wholeNumber(Int32.self)
            : readInt2(type, &reader).map(Int32.init)
    }

    private static func readText(_ type: PostgresType, _ reader: inout BinaryReader) -> String? {
        PostgresType.textual.contains(type) ? reader.wholeText() : nil
    }

    private static func readUUID(_ type: PostgresType, _ reader: inout BinaryReader) -> UInt128? {
        type == .uuid ? reader.wholeNumber(UInt128.self) : nil
    }

    private static func readInt2(_ type: PostgresType, _ reader: inout BinaryReader) -> Int16? {
        type == .int2 ? reader.wholeNumber(Int16.self) : nil
    }

    private static func readFloat8(_ type: PostgresType, _ reader: inout BinaryReader) -> Double? {
        type == .float8 ? reader.wholeNumber(UInt64.self).map(Double.init(bitPattern:)) : nil
    }

    private static func readBool(_ type: PostgresType, _ reader: inout BinaryReader) -> Bool? {
        type == .bool ? reader.wholeBool() : nil
    }

    private static func readBytes(_ type: PostgresType, _ reader: inout BinaryReader) -> [UInt8]? {
        type == .bytea ? reader.wholeBytes() : nil
    }

    private static func readTimestamp(_ type: PostgresType, _ reader: inout BinaryReader) -> Int64?
    {
        type == .timestamptz ? reader.wholeTimestamp() : nil
    }

    private static func readDate(_ type: PostgresType, _ reader: inout BinaryReader) -> Int32? {
        type == .date ? reader.wholeDay() : nil
    }
}
