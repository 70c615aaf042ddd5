import CPostgres

@testable import Postgres

/// A value of an answer's row.
enum AnswerValue: Equatable, Sendable {
    case bool(Bool)
    case int2(Int16)
    case int8(Int64)
    case uuid(UInt128)
    case uuids([UInt128])
    case timestamp(Int64)
}

/// Rows of an answer, as the fake has them and as libpq would hand them over.
enum StatementAnswer {
    /// What a command without rows gives.
    static let none = result(of: [])

    /// The result that libpq would have made of these rows, byte for byte.
    static func result(of rows: [[AnswerValue]]) -> PostgresResult {
        guard let result = PQmakeEmptyPGresult(nil, PGRES_TUPLES_OK) else {
            preconditionFailure("no memory for a result")
        }
        if let first = rows.first {
            var name: [CChar] = [99, 0]
            name.withUnsafeMutableBufferPointer { name in
                var columns = first.map { value in
                    PGresAttDesc(
                        name: name.baseAddress, tableid: 0, columnid: 0, format: 1,
                        typid: type(of: value).oid, typlen: -1, atttypmod: -1)
                }
                _ = PQsetResultAttrs(result, CInt(columns.count), &columns)
            }
        }
        for (number, row) in rows.enumerated() {
            for (column, value) in row.enumerated() {
                var bytes = bytes(of: value)
                bytes.withUnsafeMutableBytes { bytes in
                    _ = PQsetvalue(
                        result, CInt(number), CInt(column),
                        bytes.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(bytes.count))
                }
            }
        }
        return PostgresResult(ResultStorage(owning: result), notices: [])
    }

    private static func type(of value: AnswerValue) -> PostgresType {
        switch value {
        case .bool: .bool
        case .int2: .int2
        case .int8: .int8
        case .uuid: .uuid
        case .uuids: .uuidArray
        case .timestamp: .timestamptz
        }
    }

    private static func bytes(of value: AnswerValue) -> [UInt8] {
        switch value {
        case .bool(let value): return [value ? 1 : 0]
        case .int2(let value): return bigEndian(value)
        case .int8(let value): return bigEndian(value)
        case .uuid(let value): return bigEndian(value)
        // Postgres counts from the year 2000.
        case .timestamp(let value): return bigEndian(value - 946_684_800_000_000)
        case .uuids(let values):
            let dimensions: Int32 = values.isEmpty ? 0 : 1
            var bytes = bigEndian(dimensions) + bigEndian(0 as Int32)
            bytes += bigEndian(PostgresType.uuid.oid)
            guard !values.isEmpty else { return bytes }
            bytes += bigEndian(Int32(values.count)) + bigEndian(1 as Int32)
            for value in values { bytes += bigEndian(16 as Int32) + bigEndian(value) }
            return bytes
        }
    }

    private static func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}
