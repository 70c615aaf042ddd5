import CPostgres
import Glibc

/// A libpq connection in pipeline mode that never blocks inside libpq once it is open.
///
/// Knows how to send, wait and receive, and nothing of transactions. Every wait ends at a deadline.
/// It never asks the server to cancel anything: a cancel that arrives during a commit would make an
/// unreplicated commit look like success. Errors are of kind `connection` or `timeout`; who calls
/// knows what may have been committed.
@safe
final class PostgresSession {
    private let connection: OpaquePointer
    private let url: PostgresURL
    private let inbox: NoticeInbox
    private(set) var isClosed = false

    /// Opens a connection; waits for each host and address no longer than the connect timeout.
    ///
    /// Resolving a host name is the system resolver's and has its own limits.
    init(url: PostgresURL, options: PostgresConnectionOptions) throws(PostgresError) {
        // The URL stands after the options and before the encoding: later words win.
        let keywords =
            options.connectionKeywords + [("dbname", url.text), ("client_encoding", "UTF8")]
        let opened = unsafe withCStrings(keywords.map(\.name)) { names in
            unsafe withCStrings(keywords.map(\.value)) { values in
                unsafe PQconnectdbParams(names, values, 1)
            }
        }
        guard let connection = unsafe opened else {
            throw PostgresError(
                kind: .connection(reason: "no memory for a connection", fault: nil))
        }
        unsafe self.connection = connection
        self.url = url
        inbox = NoticeInbox(handler: options.noticeHandler)
        guard unsafe PQstatus(connection) == CONNECTION_OK,
            unsafe PQsetnonblocking(connection, 1) == 0,
            unsafe PQenterPipelineMode(connection) == 1
        else {
            let failure = lost("opening")
            close()
            throw failure
        }
        let context = unsafe Unmanaged.passUnretained(inbox).toOpaque()
        _ = unsafe PQsetNoticeReceiver(connection, NoticeInbox.receiver, context)
    }

    deinit { close() }

    /// Closes the connection. The server finishes what it has begun and then ends the session.
    func close() {
        if isClosed { return }
        isClosed = true
        unsafe PQfinish(connection)
    }

    /// Whether libpq still holds the connection for usable. Says nothing of a loss not yet noticed.
    var isOpen: Bool { unsafe !isClosed && PQstatus(connection) == CONNECTION_OK }

    /// Reads whatever has arrived, without waiting, and says whether the connection is lost.
    ///
    /// For a connection at rest, where the only things a server says are notices and farewells.
    func findsLoss() -> Bool {
        // What does not fit into a few reads waits for the next time.
        for _ in 0..<16 {
            guard isOpen, let events = poll(for: POLLIN, milliseconds: 0) else { return true }
            if events == 0 { break }
            guard unsafe PQconsumeInput(connection) == 1 else { return true }
        }
        // Asking makes libpq look at what was read. The farewell may be here before the end of the
        // stream.
        return unsafe PQisBusy(connection) == 1 || inbox.hasFarewell
    }

    var transactionStatus: PGTransactionStatusType { unsafe PQtransactionStatus(connection) }
    var serverVersion: Int { unsafe Int(PQserverVersion(connection)) }
    var backendProcessID: Int32 { unsafe PQbackendPID(connection) }

    func parameterStatus(_ name: String) -> String? {
        unsafe PQparameterStatus(connection, name).map { unsafe String(cString: $0) }
    }

    /// Hands over what the server mentioned since the last time.
    func takeNotices() -> [PostgresNotice] { inbox.take() }

    /// Removes the password from a text of libpq's.
    func redacting(_ text: String) -> String { url.redacting(text) }

    /// The error for a connection that is gone, with libpq's last words.
    func lost(_ activity: String) -> PostgresError {
        let words = unsafe PQerrorMessage(connection).map { unsafe String(cString: $0) } ?? ""
        let reason = url.redacting(words).split(separator: "\n").joined(separator: " ")
        return PostgresError(
            kind: .connection(reason: "\(activity): \(reason)", fault: nil))
    }
}

// Sending: everything goes into libpq's buffer, whatever fits into the socket leaves at once.
extension PostgresSession {
    /// Queues the preparation of a statement.
    func sendPrepare(
        name: String, sql: String, types: [PostgresType]
    ) throws(PostgresError) {
        let sent = unsafe PQsendPrepare(
            connection, name, sql, CInt(types.count), types.map(\.oid))
        guard sent == 1 else { throw lost("preparing") }
    }

    /// Queues the execution of a prepared statement.
    func sendPrepared(name: String, _ parameters: EncodedParameters) throws(PostgresError) {
        let sent = unsafe parameters.withPointers { values, lengths, formats in
            unsafe PQsendQueryPrepared(
                connection, name, parameters.count, values, lengths, formats, 1)
        }
        guard sent == 1 else { throw lost("sending") }
    }

    /// Queues a statement that is not prepared.
    func sendUnnamed(sql: String, _ parameters: EncodedParameters) throws(PostgresError) {
        let types = parameters.types.map(\.oid)
        let sent = unsafe parameters.withPointers { values, lengths, formats in
            unsafe PQsendQueryParams(
                connection, sql, parameters.count, types, values, lengths, formats, 1)
        }
        guard sent == 1 else { throw lost("sending") }
    }

    /// Queues the end of a pipeline, at which the server answers everything and commits what is
    /// implicit.
    func sendSync() throws(PostgresError) {
        guard unsafe PQpipelineSync(connection) == 1 else { throw lost("sending") }
    }

    /// Sends a script in the simple protocol. To be followed by `leaveScript` once it is answered.
    func sendScript(_ sql: String) throws(PostgresError) {
        guard unsafe PQexitPipelineMode(connection) == 1,
            unsafe PQsendQuery(connection, sql) == 1
        else { throw lost("sending a script") }
    }

    /// Returns to pipeline mode after a script.
    func leaveScript() throws(PostgresError) {
        guard unsafe PQenterPipelineMode(connection) == 1 else { throw lost("ending a script") }
    }

    /// Sends what is queued, taking in what the server says meanwhile.
    ///
    /// A server that has filled our receive buffer with answers reads no further; were we to wait
    /// for it to read, neither side would move again. So both directions are served at once.
    func flush(until deadline: Deadline) throws(PostgresError) {
        while true {
            let state = unsafe PQflush(connection)
            if state == 0 { return }
            guard state > 0 else { throw lost("sending") }
            let events = try wait(for: POLLIN | POLLOUT, until: deadline)
            // A failed read is not yet the end: what the server said before it left is read next.
            let hasInput = events != POLLOUT
            if hasInput, unsafe PQconsumeInput(connection) != 1 { return }
        }
    }
}

// Receiving.
extension PostgresSession {
    /// The next answer, or nil at the end of the answers to one command.
    func next(until deadline: Deadline) throws(PostgresError) -> PostgresReply? {
        while unsafe PQisBusy(connection) == 1 {
            if takeBuffered() { break }
            _ = try wait(for: POLLIN, until: deadline)
            // With the socket gone libpq no longer blocks: it gives what had arrived, then an
            // error.
            if unsafe PQconsumeInput(connection) != 1 { break }
        }
        guard let result = unsafe PQgetResult(connection) else { return nil }
        return unsafe PostgresReply(owning: result)
    }

    /// Under TLS, reads once more before waiting, and says whether that completed an answer.
    ///
    /// One read takes at least 8 KiB out of a TLS record of up to 16. The rest then lies decrypted
    /// in the library, where `poll` does not see it, and a wait for it would last until the
    /// deadline.
    private func takeBuffered() -> Bool {
        guard unsafe PQsslInUse(connection) == 1, isOpen else { return false }
        return unsafe PQconsumeInput(connection) == 1 && PQisBusy(connection) == 0
    }

    /// Forgets notifications, which nobody listens to here and libpq would keep for ever.
    func dropNotifications() {
        while let notification = unsafe PQnotifies(connection) { unsafe PQfreemem(notification) }
    }

    /// Waits until the socket is ready and returns what for.
    private func wait(for events: Int32, until deadline: Deadline) throws(PostgresError) -> Int32 {
        while true {
            guard let ready = poll(for: events, milliseconds: deadline.millisecondsLeft) else {
                throw lost("waiting")
            }
            if ready != 0 { return ready }
            if deadline.hasPassed {
                throw PostgresError(
                    kind: .timeout(reason: "the wait was given up and the connection closed"))
            }
        }
    }

    /// Asks the kernel once; 0 when nothing is ready in time, nil when there is no socket any more.
    private func poll(for events: Int32, milliseconds: Int32) -> Int32? {
        let socket = unsafe PQsocket(connection)
        guard socket >= 0 else { return nil }
        var descriptor = pollfd(fd: socket, events: Int16(events), revents: 0)
        let count = unsafe Glibc.poll(&descriptor, 1, milliseconds)
        if count > 0 { return Int32(descriptor.revents) }
        // An interrupted wait counts as nothing ready: who waits looks at the deadline and asks
        // again.
        return count == 0 || errno == EINTR ? 0 : nil
    }
}
