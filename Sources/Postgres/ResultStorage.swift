import CPostgres

/// The memory of one result as libpq received it; rows point into it, nothing is copied until
/// decoded.
///
/// `@unchecked Sendable` because a `PGresult` is never written after it was received, and libpq's
/// reading functions keep no state in it.
@safe
final class ResultStorage: @unchecked Sendable {
    private let result: OpaquePointer

    /// Takes ownership of `result`.
    @unsafe
    init(owning result: OpaquePointer) { unsafe self.result = result }

    deinit { unsafe PQclear(result) }

    var rowCount: Int { unsafe Int(PQntuples(result)) }
    var columnCount: Int { unsafe Int(PQnfields(result)) }

    /// What the server called the command it completed, like `UPDATE 3`.
    var commandTag: String { unsafe PQcmdStatus(result).map { unsafe String(cString: $0) } ?? "" }

    /// The number of rows the command touched; 0 for commands that touch none.
    var affectedRows: Int {
        let text = unsafe PQcmdTuples(result).map { unsafe String(cString: $0) } ?? ""
        return Int(text) ?? 0
    }

    /// The name of a column, which must exist.
    func name(column: Int) -> String {
        unsafe PQfname(result, CInt(column)).map { unsafe String(cString: $0) } ?? ""
    }

    /// The type of a column, which must exist.
    func type(column: Int) -> PostgresType {
        unsafe PostgresType(oid: PQftype(result, CInt(column)))
    }

    /// Whether a column, which must exist, came in the binary format.
    func isBinary(column: Int) -> Bool { unsafe PQfformat(result, CInt(column)) == 1 }

    /// Calls `body` with the bytes of a value, or nil for a null. The row and column must exist.
    func withBytes<Result>(
        row: Int, column: Int, _ body: (UnsafeRawBufferPointer?) -> Result
    ) -> Result {
        let (row, column) = (CInt(row), CInt(column))
        return withExtendedLifetime(self) {
            guard unsafe PQgetisnull(result, row, column) == 0 else { return body(nil) }
            let length = unsafe PQgetlength(result, row, column)
            let start = unsafe PQgetvalue(result, row, column)
            return unsafe body(UnsafeRawBufferPointer(start: start, count: Int(length)))
        }
    }
}
