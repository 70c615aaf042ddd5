import CPostgres

/// One answer of the server, by what it means for the exchange.
enum PostgresReply {
    /// A command was completed.
    case complete(ResultStorage)
    /// A command failed at the server.
    case failed(PostgresServerFault)
    /// A command was skipped because an earlier one of its pipeline failed.
    case skipped
    /// The pipeline has been answered.
    case synchronised
    /// libpq could not go on: the connection is lost or its state unknown.
    case broken(reason: String)

    /// Takes ownership of `result`.
    @unsafe
    init(owning result: OpaquePointer) {
        switch unsafe PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            self = unsafe .complete(ResultStorage(owning: result))
            return
        case PGRES_PIPELINE_ABORTED: self = .skipped
        case PGRES_PIPELINE_SYNC: self = .synchronised
        case PGRES_FATAL_ERROR: self = unsafe Self.failure(result)
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            self = .broken(reason: "COPY is not spoken here")
        default: self = .broken(reason: "libpq received something unexpected")
        }
        unsafe PQclear(result)
    }

    private static func failure(_ result: OpaquePointer) -> PostgresReply {
        guard let sqlState = unsafe field("C", of: result) else {
            // Only the server gives codes; without one libpq itself failed.
            let words = unsafe PQresultErrorMessage(result).map { unsafe String(cString: $0) } ?? ""
            return .broken(reason: words.split(separator: "\n").joined(separator: " "))
        }
        let severity = unsafe field("V", of: result) ?? field("S", of: result) ?? "ERROR"
        return unsafe .failed(
            PostgresServerFault(
                sqlState: sqlState, severity: severity, message: field("M", of: result) ?? "",
                detail: field("D", of: result), hint: field("H", of: result),
                schema: field("s", of: result), table: field("t", of: result),
                column: field("c", of: result), constraint: field("n", of: result),
                context: field("W", of: result), sourceFunction: field("R", of: result)))
    }

    /// A field of an error or notice, by the letter it has in the protocol (`PG_DIAG_…`).
    static func field(_ letter: Unicode.Scalar, of result: OpaquePointer) -> String? {
        unsafe PQresultErrorField(result, CInt(letter.value)).map { unsafe String(cString: $0) }
    }
}

/// Collects what the server mentions until the command it belongs to is known.
final class NoticeInbox {
    private var notices: [PostgresNotice] = []
    private let handler: (@Sendable (PostgresNotice) -> Void)?

    init(handler: (@Sendable (PostgresNotice) -> Void)?) { self.handler = handler }

    /// Whether the server said, outside any command, that it ends the session.
    var hasFarewell: Bool { notices.contains { $0.severity == "FATAL" || $0.severity == "PANIC" } }

    func take() -> [PostgresNotice] {
        defer { notices = [] }
        return notices
    }

    private func receive(_ notice: PostgresNotice) {
        // A statement can raise notices without end. The first are kept, and one about replication
        // even if it comes late, since what to think of a commit depends on it.
        let isNews =
            notice.saysReplicationWasNotConfirmed
            && !notices.contains(where: \.saysReplicationWasNotConfirmed)
        if notices.count < PostgresResult.mostNotices || isNews { notices.append(notice) }
        handler?(notice)
    }

    /// What libpq calls, on the thread that is using the connection, with the inbox as its
    /// argument.
    static let receiver: PQnoticeReceiver = { context, result in
        guard let context = unsafe context, let result = unsafe result else { return }
        let notice = unsafe PostgresNotice(
            severity: PostgresReply.field("V", of: result) ?? "NOTICE",
            sqlState: PostgresReply.field("C", of: result) ?? "00000",
            message: PostgresReply.field("M", of: result) ?? "",
            detail: PostgresReply.field("D", of: result),
            sourceFunction: PostgresReply.field("R", of: result))
        unsafe Unmanaged<NoticeInbox>.fromOpaque(context).takeUnretainedValue().receive(notice)
    }
}
