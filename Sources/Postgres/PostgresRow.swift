/// What reading a column gave.
private enum Outcome<Value> {
    case null
    case mismatch
    case value(Value)
}

/// One row of a result, decoded column by column on demand.
///
/// Columns count from 0. Every accessor checks that the column exists, has the type it reads, and
/// is not null unless its name says `optional`; otherwise it throws a decoding error that names the
/// column and its type but no value.
public struct PostgresRow: Sendable {
    private let storage: ResultStorage
    private let index: Int

    init(_ storage: ResultStorage, index: Int) {
        self.storage = storage
        self.index = index
    }

    /// The number of columns.
    public var count: Int { storage.columnCount }

    /// The bytes of a column in the binary format, whatever its type; nil for a null.
    public subscript(_ column: Int) -> [UInt8]? {
        get throws(PostgresError) {
            try decode(column, "anything") { _, reader in reader.wholeBytes() }
        }
    }

    /// Whether a column is null.
    public func isNull(_ column: Int) throws(PostgresError) -> Bool {
        try decode(column, "anything") { _, _ in true } == nil
    }

    /// A column that must not be null, read by `read`, which returns nil for the wrong type or
    /// shape.
    func required<Value>(
        _ column: Int, _ expected: String, _ read: (PostgresType, inout BinaryReader) -> Value?
    ) throws(PostgresError) -> Value {
        guard let value = try decode(column, expected, read) else {
            throw mismatch(column, "is null; \(expected) was expected")
        }
        return value
    }

    /// A column read by `read`, which returns nil for the wrong type or shape; nil for a null.
    func decode<Value>(
        _ column: Int, _ expected: String, _ read: (PostgresType, inout BinaryReader) -> Value?
    ) throws(PostgresError) -> Value? {
        guard (0..<storage.columnCount).contains(column) else {
            throw PostgresError(
                kind: .decoding(
                    reason: "there is no column \(column) among \(storage.columnCount)"))
        }
        guard storage.isBinary(column: column) else {
            throw mismatch(column, "is not in the binary format")
        }
        let type = storage.type(column: column)
        let outcome: Outcome<Value> = unsafe storage.withBytes(row: index, column: column) {
            bytes in
            guard let bytes = unsafe bytes else { return .null }
            var reader = unsafe BinaryReader(bytes)
            return read(type, &reader).map(Outcome<Value>.value) ?? .mismatch
        }
        switch outcome {
        case .null: return nil
        case .value(let value): return value
        case .mismatch:
            throw mismatch(
                column, "of type \(type.oid) does not hold \(expected); cast it in the statement")
        }
    }

    private func mismatch(_ column: Int, _ problem: String) -> PostgresError {
        let name = storage.name(column: column)
        return PostgresError(kind: .decoding(reason: "column \(column) (\(name)) \(problem)"))
    }
}
