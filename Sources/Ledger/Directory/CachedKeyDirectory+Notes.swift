import Domain
public import Postgres
import Synchronization

// What is learnt about keys as they are used.
extension CachedKeyDirectory {
    /// How often the directory is told what was learnt.
    public static let notePeriod: Duration = .seconds(60)
    /// A key's use is noted again after this long, so that a busy key costs a request one load.
    static let noteEvery: Duration = .seconds(15)
    /// The most rows of one statement.
    private static let mostRows = 1000

    /// Notes that a key was just proven and, when its digest is under another pepper than the
    /// current one, the digest under that.
    func note(_ secret: borrowing APIKeySecret, of key: StoredKey) {
        let now = clock.now
        guard key.isNoted(at: now, every: Self.noteEvery) else { return }
        notes.withLock { $0.use(key.principal.key, at: now) }
        let current = peppers[0]
        guard key.pepperID != current.id else { return }
        let new = secret.withBytes { current.digest(of: $0) }
        notes.withLock {
            $0.move(PepperMove(key: key.principal.key, old: key.digest, new: new))
        }
    }

    /// Tells the directory what was learnt since the last time, a shard at a time. What cannot be
    /// written is kept for the next time. Throws the first failure.
    public func flush() async throws(PostgresError) {
        let batches = notes.withLock { $0.take() }
        var failure: PostgresError?
        for (shard, batch) in batches {
            do throws(PostgresError) {
                if let failure { throw failure }
                try await write(batch, in: shard)
            } catch {
                failure = error
                notes.withLock { $0.giveBack(batch) }
            }
        }
        if let failure { throw failure }
    }

    private func write(_ batch: KeyNotes.Batch, in shard: Shard) async throws(PostgresError) {
        for start in stride(from: 0, to: batch.uses.count, by: Self.mostRows) {
            let part = batch.uses[start..<min(start + Self.mostRows, batch.uses.count)]
            try await source.note(Array(part), in: shard)
        }
        for start in stride(from: 0, to: batch.moves.count, by: Self.mostRows) {
            let part = batch.moves[start..<min(start + Self.mostRows, batch.moves.count)]
            try await source.move(Array(part), to: peppers[0].id, in: shard)
        }
    }
}
