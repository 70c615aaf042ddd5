import CPostgres

/// How a transaction sees the database.
public enum PostgresTransactionMode: Sendable {
    /// Each statement sees what was committed before it.
    case readWrite
    /// The same, without the right to write.
    case readOnly
    /// Every statement sees the same instant; no right to write.
    case readOnlySnapshot
    /// As if transactions ran one after the other. May fail with 40001; repeat it then.
    case serializable

    var begin: PostgresStatement {
        let sql =
            switch self {
            case .readWrite: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
            case .readOnly: "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
            case .readOnlySnapshot: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            case .serializable: "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
            }
        return PostgresStatement(name: nil, sql: sql)
    }

    var commit: PostgresStatement {
        switch self {
        case .readWrite, .serializable: .commit
        case .readOnly, .readOnlySnapshot: .commitReadOnly
        }
    }
}

extension PostgresConnection {
    /// Runs `body` in a transaction and commits it; rolls back when `body` throws.
    ///
    /// Once a command has failed, the transaction is lost: later commands in `body` fail with
    /// 25P02, and a `body` that hides the error gets it here. A commit whose replication was not
    /// confirmed is thrown as ambiguous. Transactions do not nest.
    public func transaction<Value>(
        _ mode: PostgresTransactionMode = .readWrite,
        _ body: (PostgresConnection) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        guard !isInsideTransactionCall, !isInTransaction else {
            throw PostgresError(kind: .invalid(reason: "a transaction is already open"))
        }
        _ = try execute(PostgresCommand(mode.begin, []))
        isInsideTransactionCall = true
        defer { isInsideTransactionCall = false }
        let value: Value
        do {
            value = try body(self)
        } catch {
            if isInTransaction { rollBack() }
            throw error
        }
        try commit(mode)
        return value
    }

    private func commit(_ mode: PostgresTransactionMode) throws(PostgresError) {
        try checkUsable()
        switch session.transactionStatus {
        case PQTRANS_INTRANS: break
        case PQTRANS_INERROR:
            rollBack()
            let fault = PostgresServerFault(
                sqlState: "25P02",
                message: "a command of the transaction failed; it was rolled back")
            throw PostgresError(kind: .server(fault))
        default:
            throw PostgresError(kind: .invalid(reason: "the body ended its transaction itself"))
        }
        _ = try execute(PostgresCommand(mode.commit, []))
    }
}
