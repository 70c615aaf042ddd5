/// Arrays have at most one dimension. Those without `optional` in their name refuse a null element;
/// a null in place of a whole array is refused by all, so statements that may aggregate nothing say
/// `coalesce`.
extension PostgresRow {
    /// A `text[]` or `varchar[]` without nulls.
    public func texts(_ column: Int) throws(PostgresError) -> [String] {
        try withoutNulls(column, optionalTexts(column))
    }

    /// A `text[]` or `varchar[]`.
    public func optionalTexts(_ column: Int) throws(PostgresError) -> [String?] {
        try required(column, "a text[]") { type, reader in
            type == .textArray || type == .varcharArray
                ? reader.wholeArray(of: PostgresType.textualElements) { $0.wholeText() } : nil
        }
    }

    /// An `int8[]` without nulls.
    public func int8s(_ column: Int) throws(PostgresError) -> [Int64] {
        try withoutNulls(column, optionalInt8s(column))
    }

    /// An `int8[]`.
    public func optionalInt8s(_ column: Int) throws(PostgresError) -> [Int64?] {
        try required(column, "an int8[]") { type, reader in
            type == .int8Array
                ? reader.wholeArray(of: [.int8]) { $0.wholeNumber(Int64.self) } : nil
        }
    }

    /// An `int4[]` without nulls.
    public func int4s(_ column: Int) throws(PostgresError) -> [Int32] {
        try withoutNulls(column, optionalInt4s(column))
    }

    /// An `int4[]`.
    public func optionalInt4s(_ column: Int) throws(PostgresError) -> [Int32?] {
        try required(column, "an int4[]") { type, reader in
            type == .int4Array
                ? reader.wholeArray(of: [.int4]) { $0.wholeNumber(Int32.self) } : nil
        }
    }

    /// An `int2[]` without nulls.
    public func int2s(_ column: Int) throws(PostgresError) -> [Int16] {
        try withoutNulls(column, optionalInt2s(column))
    }

    /// An `int2[]`.
    public func optionalInt2s(_ column: Int) throws(PostgresError) -> [Int16?] {
        try required(column, "an int2[]") { type, reader in
            type == .int2Array
                ? reader.wholeArray(of: [.int2]) { $0.wholeNumber(Int16.self) } : nil
        }
    }

    /// A `bool[]` without nulls.
    public func bools(_ column: Int) throws(PostgresError) -> [Bool] {
        try withoutNulls(column, optionalBools(column))
    }

    /// A `bool[]`.
    public func optionalBools(_ column: Int) throws(PostgresError) -> [Bool?] {
        try required(column, "a bool[]") { type, reader in
            type == .boolArray
                ? reader.wholeArray(of: [.bool]) { $0.wholeBool() } : nil
        }
    }

    /// A `uuid[]` without nulls.
    public func uuids(_ column: Int) throws(PostgresError) -> [UInt128] {
        try withoutNulls(column, optionalUUIDs(column))
    }

    /// A `uuid[]`.
    public func optionalUUIDs(_ column: Int) throws(PostgresError) -> [UInt128?] {
        try required(column, "a uuid[]") { type, reader in
            type == .uuidArray
                ? reader.wholeArray(of: [.uuid]) { $0.wholeNumber(UInt128.self) } : nil
        }
    }

    /// A `timestamptz[]` without nulls in microseconds since 1970-01-01 UTC.
    public func timestamps(_ column: Int) throws(PostgresError) -> [Int64] {
        try withoutNulls(column, optionalTimestamps(column))
    }

    /// A `timestamptz[]` in microseconds since 1970-01-01 UTC.
    public func optionalTimestamps(_ column: Int) throws(PostgresError) -> [Int64?] {
        try required(column, "a timestamptz[]") { type, reader in
            type == .timestamptzArray
                ? reader.wholeArray(of: [.timestamptz]) { $0.wholeTimestamp() } : nil
        }
    }

    /// A `date[]` without nulls in days since 1970-01-01.
    public func dates(_ column: Int) throws(PostgresError) -> [Int32] {
        try withoutNulls(column, optionalDates(column))
    }

    /// A `date[]` in days since 1970-01-01.
    public func optionalDates(_ column: Int) throws(PostgresError) -> [Int32?] {
        try required(column, "a date[]") { type, reader in
            type == .dateArray
                ? reader.wholeArray(of: [.date]) { $0.wholeDay() } : nil
        }
    }

    /// A `bytea[]` without nulls.
    public func bytesArray(_ column: Int) throws(PostgresError) -> [[UInt8]] {
        try withoutNulls(column, optionalBytesArray(column))
    }

    /// A `bytea[]`.
    public func optionalBytesArray(_ column: Int) throws(PostgresError) -> [[UInt8]?] {
        try required(column, "a bytea[]") { type, reader in
            type == .byteaArray
                ? reader.wholeArray(of: [.bytea]) { $0.wholeBytes() } : nil
        }
    }

    private func withoutNulls<Element>(
        _ column: Int, _ elements: [Element?]
    ) throws(PostgresError) -> [Element] {
        let present = elements.compactMap(\.self)
        guard present.count == elements.count else {
            throw PostgresError(
                kind: .decoding(reason: "column \(column) is an array that holds a null"))
        }
        return present
    }
}
