import Domain

/// A key's digest under the current pepper, to be stored in the place of the one it has.
struct PepperMove: Sendable, Hashable {
    let key: KeyID
    /// The digest that it is to replace: if the key has another by then, nothing is.
    let old: [UInt8]
    let new: [UInt8]
}

/// What a gateway has learnt about keys and is to tell the directory, all at once and now and then:
/// when they were last used, and digests under the current pepper. Pure: the caller does the
/// writing.
///
/// What is lost with a gateway is at most one period of it: a use that is shown too early by that
/// much, and a move that the next use repeats.
struct KeyNotes: Sendable {
    /// What is to be written about the keys of one shard, in the order of their ids, so that two
    /// gateways that write at the same time queue instead of waiting for each other.
    struct Batch: Sendable {
        var uses: [(key: KeyID, at: Timestamp)] = []
        var moves: [PepperMove] = []
    }

    /// The most of each kind that is kept: as many keys as are remembered.
    private static let most = KeyCacheState.mostKeys

    private var uses: [KeyID: Timestamp] = [:]
    private var moves: [KeyID: PepperMove] = [:]

    /// Notes that a key was used at `at`.
    mutating func use(_ key: KeyID, at: Timestamp) {
        guard uses.count < Self.most || uses[key] != nil else { return }
        uses[key] = max(at, uses[key] ?? at)
    }

    /// Notes a key's digest under the current pepper.
    mutating func move(_ move: PepperMove) {
        guard moves.count < Self.most else { return }
        moves[move.key] = move
    }

    /// Takes everything, by shard.
    mutating func take() -> [Shard: Batch] {
        var batches: [Shard: Batch] = [:]
        for (key, at) in uses.sorted(by: { $0.key.databaseValue < $1.key.databaseValue }) {
            batches[key.shard, default: Batch()].uses.append((key, at))
        }
        for (key, move) in moves.sorted(by: { $0.key.databaseValue < $1.key.databaseValue }) {
            batches[key.shard, default: Batch()].moves.append(move)
        }
        uses = [:]
        moves = [:]
        return batches
    }

    /// Takes back what could not be written; what was learnt meanwhile holds.
    mutating func giveBack(_ batch: Batch) {
        for (key, at) in batch.uses { use(key, at: at) }
        for move in batch.moves where moves[move.key] == nil { self.move(move) }
    }
}
