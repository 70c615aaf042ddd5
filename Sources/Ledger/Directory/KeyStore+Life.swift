public import Domain
import Postgres

extension KeyStore {
    /// Revokes a secret for good and returns its record; nil when there is no such key. `reason` is
    /// for administrators only.
    ///
    /// Another secret of the same key goes on. Revoking it again changes nothing: the time and the
    /// reason are the first ones.
    public func revoke(_ id: KeyID, reason: String? = nil) throws(LedgerError) -> KeyRecord? {
        try change(id, .keyRevoke, KeyStatements.revoke, [try DirectoryReason.value(reason)])
    }

    /// Suspends a key with all its secrets until it is resumed; nil when there is no such key. A
    /// new reason takes the place of the first; the time stays.
    public func suspend(_ id: KeyID, reason: String?) throws(LedgerError) -> KeyRecord? {
        try change(id, .keySuspend, KeyStatements.suspend, [try DirectoryReason.value(reason)])
    }

    /// Ends a suspension of the key itself. Its team or organization may be suspended still.
    public func resume(_ id: KeyID) throws(LedgerError) -> KeyRecord? {
        try change(id, .keyResume, KeyStatements.resume, [])
    }

    /// Gives a key with all its secrets another name. Names need not differ.
    public func rename(_ id: KeyID, to name: String) throws(LedgerError) -> KeyRecord? {
        try DirectoryName.check(name, of: "a key")
        return try change(id, .keyRename, KeyStatements.rename, [.text(name)])
    }

    /// Changes the terms of a key with all its secrets, as `body` says of those it has now. A
    /// secret in its grace keeps the end of that unless the key ends sooner.
    ///
    /// Throws `invalid` for terms that break a rule; nothing is then changed.
    public func change(
        _ id: KeyID, _ body: (inout Terms) -> Void
    ) throws(LedgerError) -> KeyRecord? {
        enum Outcome {
            case changed(KeyRecord?), broken(LedgerError)
        }
        let outcome = try DirectoryTransaction.change(id.shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) -> Outcome in
            guard let record = try Self.read(id, connection) else { return .changed(nil) }
            var terms = Terms(record)
            body(&terms)
            do throws(LedgerError) { try terms.check() } catch { return .broken(error) }
            _ = try connection.execute(
                KeyStatements.command(KeyStatements.change, id, terms.parameters))
            guard let changed = try Self.read(id, connection) else { return .changed(nil) }
            log.note(.keyUpdate, of: record, changed)
            return .changed(changed)
        }
        switch outcome {
        case .changed(let record): return record
        case .broken(let error): throw error
        }
    }

    /// Deletes a key with all its secrets, for good: they are refused like unknown ones, and no
    /// longer listed. What it used stays in the books. Repeating it changes nothing.
    public func delete(_ id: KeyID) throws(LedgerError) {
        try DirectoryTransaction.change(id.shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) in
            guard let before = try Self.read(id, connection) else { return }
            _ = try connection.execute(KeyStatements.command(KeyStatements.delete, id))
            log.deleted(before)
        }
    }

    private func change(
        _ id: KeyID, _ action: AdminAction, _ statement: PostgresStatement,
        _ more: [PostgresValue]
    ) throws(LedgerError) -> KeyRecord? {
        try DirectoryTransaction.change(id.shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) in
            let before = try Self.read(id, connection)
            _ = try connection.execute(KeyStatements.command(statement, id, more))
            guard let after = try Self.read(id, connection) else { return nil }
            log.note(action, of: before, after)
            return after
        }
    }
}

/// What an administrator says of a revocation or a suspension.
enum DirectoryReason {
    private static let most = 256

    /// The reason as it is stored. Throws `invalid` for more than 256 bytes, or for what would
    /// disturb a terminal.
    static func value(_ reason: String?) throws(LedgerError) -> PostgresValue {
        guard let reason else { return .null }
        guard (1...most).contains(reason.utf8.count), DirectoryName.isVisible(reason) else {
            throw .invalid("a reason is 1 to \(most) bytes of visible text")
        }
        return .text(reason)
    }
}
