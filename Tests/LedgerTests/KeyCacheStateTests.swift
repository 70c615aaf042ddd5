import Domain
import Testing

@testable import Ledger

@Suite struct KeyCacheStateTests {
    private let shard = Shard(rawValue: 9)
    private let start = Uptime(microseconds: 1_000_000)
    private let id = KeyID(shard: Shard(rawValue: 9), random: 1)
    private var state = KeyCacheState(mostKeys: 4, mostAbsent: 4)

    private func key(_ id: KeyID, isRevoked: Bool = false) -> StoredKey {
        StoredKey(
            principal: Principal(
                shard: shard, organization: .default, team: TeamID(rawValue: 1), key: id,
                keySubject: 1, allowedModels: nil, defaultCompletionTokens: nil,
                alwaysShowsUsage: false, quotas: [], rateLimits: []),
            digest: [UInt8](repeating: 0, count: 32), pepperID: 1,
            notBefore: Timestamp(microseconds: 0), notAfter: nil, isRevoked: isRevoked,
            suspended: nil)
    }

    private func snapshot(_ revision: Int64, _ keys: [StoredKey]) -> KeySnapshot {
        KeySnapshot(
            revision: revision, now: Timestamp(microseconds: 0),
            keys: Dictionary(uniqueKeysWithValues: keys.map { ($0.principal.key, $0) }))
    }

    private mutating func keep(
        _ revision: Int64, _ keys: [StoredKey], of ids: [KeyID]? = nil, at now: Uptime? = nil
    ) -> [KeyChange]? {
        state.keep(
            snapshot(revision, keys), of: ids ?? [id], in: shard, sent: now ?? start, random: { 0 })
    }

    private func word(at now: Uptime) -> String {
        switch state.find(id, at: now) {
        case .known: "known"
        case .stale(_, let servable): servable ? "stale" : "too old"
        case .absent: "absent"
        case .unknown: "unknown"
        }
    }

    @Test mutating func `a record is good for thirty seconds, and serves an outage for sixty`() {
        #expect(word(at: start) == "unknown")
        #expect(keep(1, [key(id)]) == [])
        #expect(word(at: start + .milliseconds(29_999)) == "known")
        #expect(word(at: start + .seconds(30)) == "stale")
        #expect(word(at: start + .milliseconds(59_999)) == "stale")
        #expect(word(at: start + .seconds(60)) == "too old")
    }

    @Test mutating func `a poll that sees nothing new confirms every record of its shard`() {
        _ = keep(1, [key(id)])
        #expect(state.poll(shard, at: 1, sent: start + .seconds(29)) == nil)
        #expect(word(at: start + .seconds(58)) == "known")
        #expect(word(at: start + .seconds(59)) == "stale")
    }

    @Test mutating func `a poll that sees a change names the keys to read, and does not confirm`() {
        _ = keep(1, [key(id)])
        let later = start + .seconds(29)
        #expect(state.poll(shard, at: 2, sent: later) == [id])
        #expect(word(at: start + .seconds(31)) == "stale")
        let revoked = KeyChange(key: id, end: .revoked)
        #expect(keep(2, [key(id, isRevoked: true)], at: later) == [revoked])
        state.settle(shard, at: 2, sent: later)
        #expect(word(at: start + .seconds(31)) == "known")
    }

    @Test mutating func `a read that a change has overtaken is not kept`() {
        let other = KeyID(shard: shard, random: 2)
        _ = keep(1, [key(other)], of: [other])
        state.settle(shard, at: 2, sent: start)
        // Sent before the change was seen, answered after: it may hold the key as it was before it
        // was revoked.
        #expect(keep(1, [key(id)]) == nil)
        #expect(word(at: start) == "unknown")
        #expect(keep(2, [key(id)]) == [])
    }

    @Test mutating func `an absence ends after thirty seconds or with the shard's next change`() {
        #expect(keep(1, []) == [])
        #expect(word(at: start + .seconds(29)) == "absent")
        #expect(word(at: start + .seconds(30)) == "unknown")
        #expect(state.poll(shard, at: 2, sent: start) == [])
        state.settle(shard, at: 2, sent: start)
        #expect(word(at: start + .seconds(1)) == "unknown")
    }

    @Test mutating func `a revision that goes back leaves everything in doubt until it is read`() {
        _ = keep(5, [key(id)])
        #expect(state.poll(shard, at: 3, sent: start) == [id])
        // The reading failed: the next poll must not take the same revision for a confirmation.
        #expect(state.poll(shard, at: 3, sent: start + .seconds(20)) == [id])
        #expect(keep(3, [key(id)], at: start + .seconds(20)) == [])
        state.settle(shard, at: 3, sent: start + .seconds(20))
        #expect(state.poll(shard, at: 3, sent: start + .seconds(21)) == nil)
    }

    @Test mutating func `a record that is gone from the database counts as revoked`() {
        _ = keep(1, [key(id)])
        #expect(keep(2, []) == [KeyChange(key: id, end: .revoked)])
        #expect(word(at: start) == "absent")
    }

    @Test mutating func `neither map grows past its bound`() {
        for number in 0..<100 {
            let present = KeyID(shard: shard, random: UInt64(number))
            let absent = KeyID(shard: shard, random: UInt64(1000 + number))
            _ = state.keep(
                snapshot(1, [key(present)]), of: [present, absent], in: shard, sent: start,
                random: { UInt64(number) &* 0x9E37_79B9_7F4A_7C15 })
        }
        #expect(state.keyCount == 4)
        #expect(state.absentCount == 4)
    }
}

@Suite struct MissBudgetTests {
    private let start = Uptime(microseconds: 5_000_000)

    @Test func `a source has twenty look-ups, then one every three seconds`() {
        var budget = MissBudget()
        for _ in 0..<20 { #expect(budget.take("a", at: start, random: 0) == nil) }
        let wait = budget.take("a", at: start, random: 0)
        #expect(wait == .seconds(3))
        #expect(budget.take("a", at: start + .milliseconds(2999), random: 0) != nil)
        #expect(budget.take("a", at: start + .seconds(3), random: 0) == nil)
        #expect(budget.take("a", at: start + .seconds(3), random: 0) != nil)
        #expect(budget.take("b", at: start + .seconds(3), random: 0) == nil)
    }

    @Test func `a right key costs its source nothing`() {
        var budget = MissBudget()
        for step in 0..<1000 {
            let now = start + .milliseconds(step * 10)
            #expect(budget.take("proxy", at: now, random: 0) == nil)
            budget.giveBack("proxy", random: 0)
        }
    }

    @Test func `all sources together never have more than 200 look-ups in a second`() {
        var budget = MissBudget()
        var taken: [Int64] = []
        for step in 0..<100_000 {
            let now = start + .microseconds(step * 50)
            let isTaken = budget.take("source \(step)", at: now, random: UInt64(step) &* 31) == nil
            if isTaken { taken.append(now.microseconds) }
        }
        var most = 0
        var first = 0
        for last in taken.indices {
            while taken[last] - taken[first] >= 1_000_000 { first += 1 }
            most = max(most, last - first + 1)
        }
        #expect(most <= 200)
        #expect(taken.count >= 5 * 160)
    }
}

@Suite struct BoundedMapTests {
    @Test func `it agrees with a dictionary while there is room`() {
        var map = BoundedMap<Int, Int>(capacity: 64)
        var model: [Int: Int] = [:]
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let (key, value) = (Int.random(in: 0..<50), Int.random(in: 0..<1000))
            if Bool.random() {
                map.set(key, to: value, random: generator.next())
                model[key] = value
            } else {
                map.remove(key)
                model[key] = nil
            }
            #expect(map.count == model.count && map[key] == model[key])
        }
        map.removeAll { key, _ in key.isMultiple(of: 2) }
        model = model.filter { !$0.key.isMultiple(of: 2) }
        #expect(Set(map.keys) == Set(model.keys))
        for (key, value) in model { #expect(map[key] == value) }
    }

    @Test func `a full map displaces the entry that chance picks`() {
        var map = BoundedMap<Int, Int>(capacity: 3)
        for key in 0..<3 { map.set(key, to: key, random: 0) }
        map.set(3, to: 3, random: 1)
        #expect(Set(map.keys) == [0, 2, 3])
        map.set(2, to: 9, random: 0)
        #expect(map[2] == 9 && map.count == 3)
    }
}
