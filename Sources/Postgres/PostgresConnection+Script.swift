import CPostgres

extension PostgresConnection {
    /// Runs a script of several statements in the simple protocol and drops its rows; for
    /// migrations.
    ///
    /// Without `BEGIN` in it the whole script is one transaction. After an error nothing more of it
    /// runs, a transaction it had opened is rolled back, and the error has the position of the
    /// statement. Waits no longer than `limit`, or the call timeout of the options.
    public func execute(script: String, within limit: Duration? = nil) throws(PostgresError) {
        try checkUsable()
        guard !script.utf8.contains(0) else {
            throw PostgresError(kind: .invalid(reason: "the script holds a zero character"))
        }
        // Where a script commits cannot be told from outside, so its loss is always ambiguous.
        let deadline = Deadline(after: limit ?? options.callTimeout)
        var completed = 0
        var failure: PostgresServerFault?
        do throws(PostgresError) {
            try session.sendScript(script)
            try session.flush(until: deadline)
            while let reply = try session.next(until: deadline) {
                switch reply {
                case .complete: completed += 1
                case .failed(let fault): failure = failure ?? fault
                case .broken(let reason):
                    let reason = session.redacting(reason)
                    throw PostgresError(kind: .connection(reason: reason, fault: nil))
                case .skipped, .synchronised: break
                }
            }
            try session.leaveScript()
        } catch {
            // An ERROR received before the loss proves that its transaction did not happen.
            guard let failure else { throw broken(error, mayHaveCommitted: true) }
            session.close()
            throw scriptError(failure, completed)
        }
        session.dropNotifications()
        let notices = session.takeNotices()
        if let failure { throw scriptError(failure, completed) }
        try checkReplication(notices)
    }

    private func scriptError(_ fault: PostgresServerFault, _ completed: Int) -> PostgresError {
        var error = failed(fault, mayHaveCommitted: true)
        error.commandIndex = completed
        return error
    }
}
