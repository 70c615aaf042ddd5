public import Domain
import Postgres

extension KeyStore {
    /// A key after its rotation: the secret that ends and the one that takes its place.
    public struct Rotation: ~Copyable {
        /// The one that ends with its grace.
        public let old: KeyRecord
        /// The new one.
        public let new: KeyRecord
        /// The new one's secret, which exists nowhere else.
        public let secret: APIKeySecret

        /// Hands over the secret alone.
        public consuming func takeSecret() -> APIKeySecret { secret }
    }

    /// The most secrets of a key that live at the same time.
    static let mostSecrets = 2

    /// Makes a second secret of the same key, with an id of its own: the same quotas, accounts,
    /// terms and limits, so that both together stay within them. The one named ends by itself after
    /// `grace`, or when it would have ended sooner.
    ///
    /// One transaction, after the shard's revision: of two administrators who rotate a key at the
    /// same time, one is refused. Throws `missing` when there is no such key, and `refused` when it
    /// may not be used, or has two secrets already.
    public func rotate(
        _ id: KeyID, grace: Duration, pepper: Pepper, claim: CreationClaim? = nil
    ) throws(LedgerError) -> Rotation {
        enum Outcome {
            case rotated(KeyRecord, KeyRecord), missing, unusable(KeyRecord.State), tooMany
            case repeated(CreationClaim.Earlier)
        }
        guard let prefix = try find(id)?.prefix else {
            throw .missing(what: "key", name: id.description)
        }
        let fresh = FreshSecret(shard: id.shard, prefix: prefix, pepper: pepper, random: random)
        let (new, digest, last4) = (fresh.id, fresh.digest, fresh.last4)
        let outcome = try DirectoryTransaction.change(id.shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) -> Outcome in
            if let earlier = try claim?.earlier(in: id.shard, connection) {
                return .repeated(earlier)
            }
            guard let record = try Self.read(id, connection) else { return .missing }
            let live = try connection.execute(
                KeyStatements.command(KeyStatements.countLive, id)
            ).rows.first?.int8(0)
            switch record.state {
            case .active, .pending: break
            case .retiring, .suspended, .expired, .revoked: return .unusable(record.state)
            }
            guard let live, live < Self.mostSecrets else { return .tooMany }
            _ = try connection.execute(
                KeyStatements.command(
                    KeyStatements.succeed, id,
                    [.int8(new.databaseValue), .bytes(digest), .int2(pepper.id), .text(last4)]))
            _ = try connection.execute(
                KeyStatements.command(
                    KeyStatements.retire, id, [.int8(new.databaseValue), .int8(grace.microseconds)])
            )
            try claim?.note(new.databaseValue, in: id.shard, connection)
            guard let old = try Self.read(id, connection), let new = try Self.read(new, connection)
            else { return .missing }
            log.note(.keyRotate, of: record, old)
            return .rotated(old, new)
        }
        switch outcome {
        case .rotated(let old, let new):
            return Rotation(old: old, new: new, secret: fresh.takeSecret())
        case .missing: throw .missing(what: "key", name: id.description)
        case .repeated(let earlier): throw LedgerError(earlier)
        case .unusable(.retiring), .tooMany:
            throw .refused("key \(id) is being rotated: it has two secrets already")
        case .unusable(let state):
            throw .refused("key \(id) is \(state.rawValue): only a key that works can be rotated")
        }
    }

    /// Ends the secrets of a key that were replaced and still live, for good, and returns their
    /// ids: none when no rotation is under way. `id` names any secret of the key.
    public func finishRotation(_ id: KeyID) throws(LedgerError) -> [KeyID] {
        try DirectoryTransaction.change(id.shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) in
            let before = try connection.execute(
                KeyStatements.command(KeyStatements.secrets, id)
            ).rows.map(KeyRecord.init)
            let ended = try connection.execute(KeyStatements.command(KeyStatements.finish, id))
                .rows.map { row throws(PostgresError) in
                    KeyID(rawValue: UInt64(bitPattern: try row.int8(0)))
                }
            for old in before where ended.contains(old.id) {
                guard let after = try Self.read(old.id, connection) else { continue }
                log.note(.keyFinish, of: old, after)
            }
            return ended
        }
    }
}
