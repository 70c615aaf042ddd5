/// Something the server mentioned that is not an error.
public struct PostgresNotice: Sendable, Hashable {
    /// `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`, in English whatever the server speaks.
    public let severity: String
    /// The five characters of its code; `01000` is a warning without a code of its own.
    public let sqlState: String
    /// The server's sentence.
    public let message: String
    /// More about it.
    public let detail: String?
    /// The function in the server's source that said it; not translated, so fit for recognising it.
    public let sourceFunction: String?

    /// Makes a notice; the server's texts are taken as they are.
    public init(
        severity: String, sqlState: String, message: String, detail: String? = nil,
        sourceFunction: String? = nil
    ) {
        self.severity = severity
        self.sqlState = sqlState
        self.message = message
        self.detail = detail
        self.sourceFunction = sourceFunction
    }

    /// Whether this says that a commit stopped waiting for its synchronous standby.
    ///
    /// The server then reports success although the transaction may vanish with the primary. It
    /// says so only by a warning, whose text is translated and whose code is the general one (or
    /// 57P01 when the server is stopping), so the function that raises it is what identifies it;
    /// the English words serve where a proxy drops that field. Source: `SyncRepWaitForLSN` in
    /// PostgreSQL's `syncrep.c`.
    public var saysReplicationWasNotConfirmed: Bool {
        guard severity == "WARNING" else { return false }
        return sourceFunction == "SyncRepWaitForLSN"
            || message.contains("wait for synchronous replication")
    }
}
