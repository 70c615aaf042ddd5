import Domain
import Postgres
import Synchronization
import TestSupport

@testable import Ledger

/// A key source that wraps another one: counts its reads, holds them at a gate, and fails when told
/// to.
final class ScriptedKeySource: KeySource {
    private struct State {
        var reads = 0
        var failure: PostgresError?
        var underWay = 0
        var mostUnderWay = 0
    }

    /// Passed before every read of keys is answered, after it has seen the database.
    let gate = Gate(isOpen: true)
    private let inner: any KeySource
    private let state = Mutex(State())

    init(_ inner: any KeySource) { self.inner = inner }

    /// Reads of keys so far, failed ones included.
    var reads: Int { state.withLock(\.reads) }

    /// Lets every later call fail, or none.
    func fail(_ failure: PostgresError?) { state.withLock { $0.failure = failure } }

    /// The database away.
    static var away: PostgresError {
        PostgresError(kind: .connection(reason: "away", fault: nil))
    }

    func read(_ ids: [KeyID], in shard: Shard) async throws(PostgresError) -> KeySnapshot {
        let failure = state.withLock { state in
            state.reads += 1
            return state.failure
        }
        let result: Result<KeySnapshot, PostgresError>
        do throws(PostgresError) {
            if let failure { throw failure }
            result = .success(try await inner.read(ids, in: shard))
        } catch {
            result = .failure(error)
        }
        await gate.pass()
        return try result.get()
    }

    func note(
        _ uses: [(key: KeyID, at: Timestamp)], in shard: Shard
    ) async throws(PostgresError) {
        if let failure = state.withLock(\.failure) { throw failure }
        try await inner.note(uses, in: shard)
    }

    func move(
        _ moves: [PepperMove], to pepper: Int16, in shard: Shard
    ) async throws(PostgresError) {
        if let failure = state.withLock(\.failure) { throw failure }
        try await inner.move(moves, to: pepper, in: shard)
    }

    func revisions(of shards: [Shard]) async throws(PostgresError) -> DirectoryRevisions {
        if let failure = state.withLock(\.failure) { throw failure }
        return try await inner.revisions(of: shards)
    }
}
