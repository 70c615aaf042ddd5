/// The limits that simdjson does not keep exactly, or at all.
struct JSONLimits {
    let maximumBytes: Int
    let maximumDepth: Int
    let maximumNodes: Int
    let refusesDuplicateKeys: Bool
}

/// Memory that the check of one document after another reuses.
struct JSONCheckScratch {
    /// Where the member names of the object at hand are on the tape.
    var keys: [Int] = []
    /// Their heads, in the same order.
    var heads: [UInt64] = []
    /// An open-addressed table of positions in `keys`; −1 is free.
    var table: [Int32] = []
}

extension JSONStorage {
    /// Walks the tape once, without recursion, and holds it against `limits`.
    func check(_ limits: JSONLimits, scratch: inout JSONCheckScratch) throws(JSONError) {
        let end = end
        var index = 1
        var depth = 0
        var nodes = 0
        while index < end {
            switch tag(index) {
            case JSONTag.object:
                depth += 1
                if limits.refusesDuplicateKeys { try refuseDuplicateKeys(index, &scratch) }
                index += 1
            case JSONTag.array:
                depth += 1
                index += 1
            case JSONTag.objectEnd, JSONTag.arrayEnd:
                depth -= 1
                index += 1
                continue
            case JSONTag.root:
                return
            default:
                index = next(after: index)
            }
            nodes += 1
            guard depth <= limits.maximumDepth else {
                throw .tooDeep(limit: limits.maximumDepth)
            }
            guard nodes <= limits.maximumNodes else {
                throw .tooManyNodes(limit: limits.maximumNodes)
            }
        }
    }

    /// Throws if the object at `index` has two members of one name. Linear in its members: few are
    /// compared pair by pair, many go through a hash table whose seed an attacker does not know.
    private func refuseDuplicateKeys(
        _ index: Int, _ scratch: inout JSONCheckScratch,
    ) throws(JSONError) {
        // The count saturates at 24 bits but is exact where it says that nothing can be twice.
        guard (payload(index) >> 32) & 0xFF_FFFF > 1 else { return }
        scratch.keys.removeAll(keepingCapacity: true)
        scratch.heads.removeAll(keepingCapacity: true)
        let close = next(after: index) - 1
        var key = index + 1
        while key < close {
            scratch.keys.append(key)
            scratch.heads.append(head(key))
            key = next(after: key + 1)
        }
        let twice =
            scratch.keys.count <= 16 ? repeatedOfFew(scratch) : repeatedOfMany(&scratch)
        if let twice { throw .duplicateKey(path(toKeyAt: twice)) }
    }

    private func repeatedOfFew(_ scratch: JSONCheckScratch) -> Int? {
        let heads = scratch.heads
        for later in 1..<heads.count {
            for earlier in 0..<later where heads[earlier] == heads[later] {
                if sameString(scratch.keys[earlier], scratch.keys[later]) {
                    return scratch.keys[later]
                }
            }
        }
        return nil
    }

    private func repeatedOfMany(_ scratch: inout JSONCheckScratch) -> Int? {
        var size = 64
        while size < scratch.keys.count * 2 { size *= 2 }
        scratch.table.removeAll(keepingCapacity: true)
        scratch.table.append(contentsOf: repeatElement(-1, count: size))
        for (position, key) in scratch.keys.enumerated() {
            var hasher = Hasher()
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer(utf8(key)))
            var slot = hasher.finalize() & (size - 1)
            while scratch.table[slot] >= 0 {
                let other = Int(scratch.table[slot])
                if scratch.heads[other] == scratch.heads[position],
                    sameString(scratch.keys[other], key)
                {
                    return key
                }
                slot = (slot + 1) & (size - 1)
            }
            scratch.table[slot] = Int32(position)
        }
        return nil
    }

    private func sameString(_ one: Int, _ other: Int) -> Bool {
        unsafe string(one, equals: utf8(other))
    }
}
