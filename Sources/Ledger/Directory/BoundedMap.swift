/// A dictionary of at most `capacity` entries. What comes when it is full displaces an entry chosen
/// by chance, so that nobody who fills it can choose whom to displace. Every operation takes
/// constant time.
struct BoundedMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private var entries: [(key: Key, value: Value)] = []
    private var places: [Key: Int] = [:]

    /// Makes an empty map; traps on a capacity below one.
    init(capacity: Int) {
        precondition(capacity >= 1, "a map without room holds nothing")
        self.capacity = capacity
    }

    var count: Int { entries.count }
    var keys: some Collection<Key> { entries.lazy.map(\.key) }

    /// The entry of a key.
    subscript(key: Key) -> Value? { places[key].map { entries[$0].value } }

    /// Stores an entry; `random` picks the one that goes when there is no room.
    mutating func set(_ key: Key, to value: Value, random: UInt64) {
        if let place = places[key] {
            entries[place].value = value
            return
        }
        if entries.count >= capacity {
            remove(at: Int(random % UInt64(entries.count)))
        }
        places[key] = entries.count
        entries.append((key, value))
    }

    /// Removes a key's entry, if there is one.
    mutating func remove(_ key: Key) {
        if let place = places[key] { remove(at: place) }
    }

    /// Removes every entry that `isOver` says is over. Linear.
    mutating func removeAll(where isOver: (Key, Value) -> Bool) {
        for place in entries.indices.reversed()
        where isOver(entries[place].key, entries[place].value) { remove(at: place) }
    }

    /// Moves the last entry to the freed place.
    private mutating func remove(at place: Int) {
        places[entries[place].key] = nil
        let last = entries.removeLast()
        guard place < entries.count else { return }
        entries[place] = last
        places[last.key] = place
    }
}
