import Domain
import Testing

@testable import Ledger

@Suite struct ClaimMemoryTests {
    private let shard = Shard(rawValue: 3)

    private func claim(_ number: Int, in shard: Shard? = nil) -> IdempotencyClaim {
        IdempotencyClaim(
            shard: shard ?? self.shard, key: KeyID(rawValue: 42),
            nameDigest: Array(repeating: 1, count: 32), fingerprint: Array(repeating: 2, count: 32),
            requestID: RequestID(rawValue: UInt128(number)))
    }

    private func memory(_ numbers: Range<Int>, at seconds: Int64 = 0) -> ClaimMemory {
        var memory = ClaimMemory(keptFor: .seconds(900))
        for number in numbers {
            memory.note(claim(number), claimedAt: Timestamp(microseconds: 5), at: at(seconds))
            memory.confirm(RequestID(rawValue: UInt128(number)))
        }
        return memory
    }

    private func at(_ seconds: Int64) -> Uptime { Uptime(microseconds: seconds * 1_000_000) }

    private func ids(_ memory: ClaimMemory) -> [UInt128] {
        memory.confirmed(in: shard).map(\.claim.requestID.rawValue)
    }

    @Test func `only what was confirmed and not given back, in the shard, is repeated`() {
        var memory = memory(0..<4)
        memory.forget(RequestID(rawValue: 2))
        memory.note(claim(9), claimedAt: Timestamp(microseconds: 5), at: at(0))
        memory.note(
            claim(10, in: Shard(rawValue: 4)), claimedAt: Timestamp(microseconds: 5), at: at(0))
        memory.confirm(RequestID(rawValue: 10))
        #expect(ids(memory) == [0, 1, 3])
        #expect(memory.confirmed(in: shard)[0].claimedAt == Timestamp(microseconds: 5))
    }

    @Test func `a claim is forgotten when a failover cannot take it back any more`() {
        var memory = memory(0..<3)
        memory.forget(RequestID(rawValue: 0))
        memory.note(claim(3), claimedAt: Timestamp(microseconds: 5), at: at(900))
        #expect(memory.count == 3)
        memory.note(claim(4), claimedAt: Timestamp(microseconds: 5), at: at(901))
        #expect(memory.count == 2 && ids(memory).isEmpty)
    }

    @Test func `there are never more than the bound, and the oldest go first`() {
        let memory = memory(0..<ClaimMemory.most + 3000)
        #expect(memory.count == ClaimMemory.most)
        #expect(ids(memory).first == 3000)
    }
}
