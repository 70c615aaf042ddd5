import CPostgres

/// A connection to Postgres, for one thread, on which every call waits for its answer.
///
/// Parameters and results travel in the binary format. Every call ends at a deadline: then the
/// connection is closed, and the error says whether something may have been committed. Nothing is
/// ever cancelled on the server. A connection that failed once `isBroken` and stays so; make a new
/// one.
public final class PostgresConnection {
    /// The most bytes of parameters in one call.
    public static let mostParameterBytes = 64 << 20
    /// The most commands in one pipeline.
    public static let mostCommands = 4096

    let session: PostgresSession
    let options: PostgresConnectionOptions
    private var prepared: PreparedStatements
    /// What every transaction sets for itself, where sessions are shared; nil where the session is
    /// this connection's own and keeps its settings.
    private var transactionSettings: TransactionSettings?
    /// Inside `transaction`, which ends what fails itself: were a failed command to roll back at
    /// once, the body's next command would run, and be committed, outside any transaction.
    var isInsideTransactionCall = false

    /// Opens a connection and applies the session settings.
    ///
    /// `url` is a libpq URL such as
    /// `postgres://user@host1,host2/database?target_session_attrs=read-write`. Waits up to the
    /// connect timeout for each host, and up to the call timeout for the settings.
    public init(url: String, options: PostgresConnectionOptions) throws(PostgresError) {
        let parsed = try PostgresURL(url)
        self.options = options
        // Nothing is prepared before it is known who keeps it.
        prepared = PreparedStatements(isEnabled: false)
        session = try PostgresSession(url: parsed, options: options)
        func ours(_ settings: [(name: String, value: String)]) -> [(name: String, value: String)] {
            settings.filter { !parsed.settingNames.contains($0.name) }
        }
        var isOwn = options.usePreparedStatements
        if isOwn == nil { isOwn = try hasServerProcess() }
        if isOwn == true {
            prepared = PreparedStatements(isEnabled: true)
            try apply(ours(options.ownSessionSettings + options.sessionSettings))
        } else {
            transactionSettings = TransactionSettings(ours(options.sessionSettings))
        }
    }

    /// Whether named statements and settings stay where this connection's next statement runs.
    public var ownsSession: Bool { prepared.isEnabled }

    /// Whether the connection was closed or found dead. Never becomes false again.
    public var isBroken: Bool { !session.isOpen }

    /// Closes the connection. An open transaction is rolled back by the server. Repeating it does
    /// nothing.
    public func close() { session.close() }

    /// The server's version, like 150003 for 15.3; 0 when closed.
    public var serverVersion: Int { isBroken ? 0 : session.serverVersion }

    /// The server process of this session, as in `pg_stat_activity`; 0 when closed.
    public var backendProcessID: Int32 { isBroken ? 0 : session.backendProcessID }

    /// Whether a transaction is open, failed ones included.
    public var isInTransaction: Bool { !isBroken && session.transactionStatus != PQTRANS_IDLE }

    /// A setting the server reports by itself, such as `server_version` or `TimeZone`; nil when
    /// closed.
    public func parameterStatus(_ name: String) -> String? {
        isBroken ? nil : session.parameterStatus(name)
    }

    /// Whether the connection is still there, as far as can be told without asking the server.
    ///
    /// Finds out about a server that has closed an idle connection. Does not wait.
    public func checkIsOpen() -> Bool {
        if !isBroken, session.findsLoss() { session.close() }
        return !isBroken
    }

    /// Runs one command and returns its result.
    ///
    /// Waits no longer than `limit`, or the call timeout of the options. Outside a transaction the
    /// command is its own transaction.
    public func execute(
        _ command: PostgresCommand, within limit: Duration? = nil
    ) throws(PostgresError) -> PostgresResult {
        do {
            return try pipeline([command], within: limit)[0]
        } catch {
            throw PostgresError(kind: error.kind)
        }
    }

    /// Sends all commands at once and returns their results in order: one round trip.
    ///
    /// If one fails, its error is thrown with its position, and those after it do not run. Commands
    /// outside `BEGIN` and `COMMIT` belong together in one transaction. After an error inside
    /// `BEGIN` the transaction is rolled back before this returns, so the connection can be used
    /// again.
    ///
    /// A commit whose replication was not confirmed is thrown as ambiguous, like one whose answer
    /// was lost. Waits no longer than `limit`, or the call timeout of the options, for everything.
    public func pipeline(
        _ commands: [PostgresCommand], within limit: Duration? = nil
    ) throws(PostgresError) -> [PostgresResult] {
        try checkUsable()
        if commands.isEmpty { return [] }
        guard let transactionSettings, session.transactionStatus == PQTRANS_IDLE else {
            return try exchange(commands, within: limit)
        }
        return try transactionSettings.applied(to: commands) { commands throws(PostgresError) in
            try exchange(commands, within: limit)
        }
    }

    private func exchange(
        _ commands: [PostgresCommand], within limit: Duration?
    ) throws(PostgresError) -> [PostgresResult] {
        let parameters = try encode(commands)
        let statements = commands.map(\.statement)
        let commit = CommitPoint(
            of: statements, insideTransaction: session.transactionStatus != PQTRANS_IDLE)
        var exchange = PipelineExchange(
            session, commands, parameters,
            until: Deadline(after: limit ?? options.callTimeout))
        _ = session.takeNotices()
        do {
            try exchange.send(&prepared)
            try exchange.receive(&prepared)
        } catch {
            // Answers may still be on their way, so the connection cannot be used again. The
            // server's own words, if they came before the end, say more than the broken socket.
            session.close()
            throw exchange.failure.map { failed($0, of: commands, commit) }
                ?? broken(error, mayHaveCommitted: commit.index != nil)
        }
        prepared.settle()
        session.dropNotifications()
        if let failure = exchange.failure { throw failed(failure, of: commands, commit) }
        try checkCommits(statements, exchange.results)
        try checkReplication(exchange.results.lazy.flatMap(\.notices))
        return exchange.results
    }
}

extension PostgresConnection {
    /// Throws unless the connection can take a command.
    func checkUsable() throws(PostgresError) {
        guard !isBroken else {
            throw PostgresError(kind: .connection(reason: "the connection is closed", fault: nil))
        }
    }

    /// Closes the connection after `error`, and says so if something may have been committed.
    func broken(_ error: PostgresError, mayHaveCommitted: Bool) -> PostgresError {
        session.close()
        guard mayHaveCommitted else { return error }
        switch error.kind {
        case .connection(let reason, let fault):
            return PostgresError(kind: .ambiguous(reason: reason, fault: fault))
        case .timeout(let reason):
            return PostgresError(kind: .ambiguous(reason: reason, fault: nil))
        case .server, .decoding, .ambiguous, .invalid, .overloaded, .cancelled: return error
        }
    }

    /// Leaves the session as `fault` requires and returns what to throw.
    func failed(_ fault: PostgresServerFault, mayHaveCommitted: Bool) -> PostgresError {
        if fault.endsSession {
            session.close()
            let reason = "the server ended the session"
            return PostgresError(
                kind: mayHaveCommitted
                    ? .ambiguous(reason: reason, fault: fault)
                    : .connection(reason: reason, fault: fault))
        }
        if !isInsideTransactionCall { rollBackFailedTransaction() }
        return PostgresError(kind: .server(fault))
    }

    private func failed(
        _ failure: (fault: PostgresServerFault, command: Int?), of commands: [PostgresCommand],
        _ commit: CommitPoint
    ) -> PostgresError {
        let (fault, command) = failure
        var error = failed(
            fault,
            mayHaveCommitted: commit.mayHaveHappened(
                endedAt: command ?? commands.count, by: fault))
        error.commandIndex = command
        forgetPrepared(after: fault)
        return error
    }

    /// Rolls back a transaction in which a command failed. If that does not work either, closes.
    func rollBackFailedTransaction() {
        guard session.isOpen, session.transactionStatus == PQTRANS_INERROR else { return }
        rollBack()
    }

    /// Rolls back whatever is open. If that does not work, closes, and the server does it.
    func rollBack() {
        do {
            _ = try pipeline([PostgresCommand(.rollback, [])])
        } catch {
            session.close()
        }
    }

    /// Forgets prepared statements the server no longer accepts: a migration changed what they
    /// return (0A000), or something behind us discarded them (26000). The next use prepares them
    /// again.
    private func forgetPrepared(after fault: PostgresServerFault) {
        guard ["0A000", "26000"].contains(fault.sqlState), prepared.count > 0, session.isOpen,
            session.transactionStatus == PQTRANS_IDLE
        else { return }
        prepared.removeAll()
        do {
            _ = try pipeline([PostgresCommand(.deallocateAll, [])])
        } catch {
            session.close()
        }
    }

    /// A commit that stopped waiting for its synchronous standby is answered with success and a
    /// warning. It is visible, and may yet vanish with the primary.
    func checkReplication(_ notices: some Sequence<PostgresNotice>) throws(PostgresError) {
        guard notices.contains(where: \.saysReplicationWasNotConfirmed) else { return }
        let reason = "a commit stopped waiting for its synchronous standby"
        throw PostgresError(kind: .ambiguous(reason: reason, fault: nil))
    }

    /// A `COMMIT` of a transaction that had failed before is answered with success and the word
    /// `ROLLBACK`. That is an error to everybody but the server.
    private func checkCommits(
        _ statements: [PostgresStatement], _ results: [PostgresResult]
    ) throws(PostgresError) {
        for (index, result) in results.enumerated() where result.commandTag == "ROLLBACK" {
            guard TransactionEffect(sql: statements[index].sql) == .commits else { continue }
            let fault = PostgresServerFault(
                sqlState: "25P02", message: "the transaction had failed; COMMIT rolled it back")
            throw PostgresError(kind: .server(fault), commandIndex: index)
        }
    }

    private func encode(
        _ commands: [PostgresCommand]
    ) throws(PostgresError) -> [EncodedParameters] {
        func invalid(_ reason: String, _ index: Int? = nil) -> PostgresError {
            PostgresError(kind: .invalid(reason: reason), commandIndex: index)
        }
        guard commands.count <= Self.mostCommands else {
            throw invalid("a pipeline has at most \(Self.mostCommands) commands")
        }
        var total = 0
        var encoded: [EncodedParameters] = []
        encoded.reserveCapacity(commands.count)
        for (index, command) in commands.enumerated() {
            // C would cut the text at the zero and run only its beginning.
            guard !command.statement.sql.utf8.contains(0) else {
                throw invalid("the statement holds a zero character", index)
            }
            guard command.parameters.count <= EncodedParameters.mostParameters else {
                throw invalid("a command has at most 65535 parameters", index)
            }
            let parameters = EncodedParameters(command.parameters)
            total += parameters.byteCount
            guard total <= Self.mostParameterBytes else {
                throw invalid("the parameters are larger than 64 MiB", index)
            }
            encoded.append(parameters)
        }
        return encoded
    }

    private func apply(_ settings: [(name: String, value: String)]) throws(PostgresError) {
        if settings.isEmpty { return }
        _ = try execute(.applying(settings, untilCommit: false))
    }

    /// Whether the process that answers is the one the server introduced itself as. A pooler
    /// between us introduces itself, with a number of its own.
    private func hasServerProcess() throws(PostgresError) -> Bool {
        let process = PostgresCommand(.serverProcess, [])
        return try execute(process).rows.first?.int4(0) == backendProcessID
    }
}
