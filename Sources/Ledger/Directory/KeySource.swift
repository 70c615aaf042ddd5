import Domain
import Postgres

/// Some keys of one shard, read in one snapshot.
struct KeySnapshot: Sendable {
    /// The shard's revision in that snapshot.
    let revision: Int64
    /// The database's clock.
    let now: Timestamp
    /// Those keys asked for that exist.
    let keys: [KeyID: StoredKey]
}

/// The revisions of some shards.
struct DirectoryRevisions: Sendable {
    /// The database's clock.
    let now: Timestamp
    /// By shard; a shard without a directory has none.
    let revisions: [Shard: Int64]
}

/// Where keys are read when they are not in memory.
protocol KeySource: Sendable {
    /// Reads keys of one shard and the shard's revision in one snapshot.
    func read(_ ids: [KeyID], in shard: Shard) async throws(PostgresError) -> KeySnapshot
    /// Reads the revisions of `shards`.
    func revisions(of shards: [Shard]) async throws(PostgresError) -> DirectoryRevisions
    /// Notes when keys of one shard were last used, in the order of their ids.
    func note(_ uses: [(key: KeyID, at: Timestamp)], in shard: Shard) async throws(PostgresError)
    /// Puts digests under another pepper in the place of those that keys have.
    func move(
        _ moves: [PepperMove], to pepper: Int16, in shard: Shard
    ) async throws(PostgresError)
}

/// Keys in Postgres.
struct PostgresKeySource: KeySource {
    let pool: PostgresPool

    func read(_ ids: [KeyID], in shard: Shard) async throws(PostgresError) -> KeySnapshot {
        try await pool.run { connection throws(PostgresError) in
            let rows = try connection.execute(KeySourceStatements.read(ids, shard)).rows
            return try Self.snapshot(rows, shard)
        }
    }

    func revisions(of shards: [Shard]) async throws(PostgresError) -> DirectoryRevisions {
        try await pool.run { connection throws(PostgresError) in
            let rows = try connection.execute(KeySourceStatements.revisions(of: shards)).rows
            var revisions: [Shard: Int64] = [:]
            var now = Timestamp(microseconds: 0)
            for row in rows {
                now = Timestamp(microseconds: try row.timestamp(0))
                guard let shard = try row.optionalInt2(1), let revision = try row.optionalInt8(2),
                    (0...255).contains(shard)
                else { continue }
                revisions[Shard(rawValue: shard)] = revision
            }
            return DirectoryRevisions(now: now, revisions: revisions)
        }
    }

    func note(
        _ uses: [(key: KeyID, at: Timestamp)], in shard: Shard
    ) async throws(PostgresError) {
        try await pool.run { connection throws(PostgresError) in
            _ = try connection.execute(KeyNoteStatements.note(uses, shard))
        }
    }

    func move(
        _ moves: [PepperMove], to pepper: Int16, in shard: Shard
    ) async throws(PostgresError) {
        try await pool.run { connection throws(PostgresError) in
            _ = try connection.execute(KeyNoteStatements.move(moves, to: pepper, shard))
        }
    }

    private static func snapshot(
        _ rows: [PostgresRow], _ shard: Shard
    ) throws(PostgresError) -> KeySnapshot {
        guard let first = rows.first else {
            throw PostgresError(kind: .decoding(reason: "a read of keys gave no row"))
        }
        var keys: [KeyID: StoredKey] = [:]
        for row in rows {
            guard let key = try KeySourceStatements.decode(row, shard) else { continue }
            keys[key.principal.key] = key
        }
        return KeySnapshot(
            revision: try first.int8(1), now: Timestamp(microseconds: try first.timestamp(0)),
            keys: keys)
    }
}
