import Domain

/// What the gateway remembers of the directory, and for how long it may be believed. Pure: the
/// caller supplies time and randomness, and does the reading.
///
/// Every record carries the revision of its shard in the snapshot that it was read in. A poll that
/// sees the shard still at the known revision confirms all of the shard's records at once; one that
/// sees another reads them again.
struct KeyCacheState: Sendable {
    /// A record that nothing has confirmed for this long is read again before it is used.
    static let timeToLive: Duration = .seconds(30)
    /// While the database is away, a record is used for this long after it was last confirmed.
    static let longestStale: Duration = .seconds(60)
    /// A key that does not exist is not looked for again for this long, unless its shard changes.
    static let absence: Duration = .seconds(30)
    /// The most keys remembered.
    static let mostKeys = 131_072
    /// The most keys remembered not to exist.
    static let mostAbsent = 65_536

    /// What is known of a key.
    enum Finding: Sendable {
        /// Its record, good for now.
        case known(StoredKey)
        /// Its record, to be read again; `servable` while the database is away.
        case stale(StoredKey, servable: Bool)
        /// It did not exist a short while ago.
        case absent
        /// Nothing.
        case unknown
    }

    private struct Entry {
        var key: StoredKey
        var revision: Int64
        var readAt: Uptime
    }

    private struct Absence {
        let revision: Int64
        let readAt: Uptime
    }

    private struct Known {
        var revision: Int64
        var confirmedAt: Uptime
        /// The revision went back and not everything was read again since.
        var isInDoubt = false
    }

    private var entries: BoundedMap<KeyID, Entry>
    private var absences: BoundedMap<KeyID, Absence>
    private var shards: [Shard: Known] = [:]

    /// Makes an empty state with room for so many keys.
    init(mostKeys: Int, mostAbsent: Int) {
        entries = BoundedMap(capacity: mostKeys)
        absences = BoundedMap(capacity: mostAbsent)
    }

    /// The shards that anything is remembered of, at most 256.
    var shardsInUse: [Shard] { Array(shards.keys) }
    var keyCount: Int { entries.count }
    var absentCount: Int { absences.count }

    /// What is known of `id` at `now`.
    func find(_ id: KeyID, at now: Uptime) -> Finding {
        let known = shards[id.shard]
        if let entry = entries[id] {
            var confirmed = entry.readAt
            let isBehind = (known?.revision ?? 0) > entry.revision
            if let known, !isBehind { confirmed = max(confirmed, known.confirmedAt) }
            let age = now - confirmed
            if !isBehind, age < Self.timeToLive { return .known(entry.key) }
            return .stale(entry.key, servable: age < Self.longestStale)
        }
        if let absence = absences[id], absence.revision >= known?.revision ?? 0,
            now - absence.readAt < Self.absence
        {
            return .absent
        }
        return .unknown
    }

    /// Keeps what a read of `ids` gave that was sent at `sent`, and says what changed.
    ///
    /// Returns nil, and keeps nothing, when the snapshot is older than a change already known: a
    /// read that was under way while a poll saw the change. It must be repeated, or a revoked key
    /// could come back to life.
    mutating func keep(
        _ snapshot: KeySnapshot, of ids: [KeyID], in shard: Shard, sent: Uptime,
        random: () -> UInt64
    ) -> [KeyChange]? {
        if let known = shards[shard] {
            guard snapshot.revision >= known.revision else { return nil }
        } else {
            shards[shard] = Known(revision: snapshot.revision, confirmedAt: sent)
        }
        return ids.compactMap { id in
            let old = entries[id]?.key
            guard let new = snapshot.keys[id] else {
                entries.remove(id)
                absences.set(
                    id, to: Absence(revision: snapshot.revision, readAt: sent), random: random())
                return old.map { _ in KeyChange(key: id, end: .revoked) }
            }
            absences.remove(id)
            entries.set(
                id, to: Entry(key: new, revision: snapshot.revision, readAt: sent), random: random()
            )
            guard let old, !old.says(new) else { return nil }
            return KeyChange(key: id, end: new.end)
        }
    }

    /// A poll sent at `sent` saw `shard` at `revision`. Returns the keys to read again before
    /// ``settle`` is called; nil when nothing has changed, and all that is remembered of the shard
    /// is confirmed.
    ///
    /// A revision may go back when a failover lost commits; that is a change like any other.
    mutating func poll(_ shard: Shard, at revision: Int64, sent: Uptime) -> [KeyID]? {
        guard let known = shards[shard] else { return nil }
        if known.revision == revision, !known.isInDoubt {
            shards[shard]?.confirmedAt = max(known.confirmedAt, sent)
            return nil
        }
        // Going back, every record must be read again, whatever revision it carries.
        if revision < known.revision {
            shards[shard]?.revision = revision
            shards[shard]?.isInDoubt = true
        }
        return entries.keys.filter { $0.shard == shard }
    }

    /// All keys that ``poll`` named were read again: the shard is known at `revision`, and absences
    /// from before it are forgotten, so that a key just made works at once.
    mutating func settle(_ shard: Shard, at revision: Int64, sent: Uptime) {
        shards[shard] = Known(revision: revision, confirmedAt: sent)
        absences.removeAll { id, _ in id.shard == shard }
    }
}
