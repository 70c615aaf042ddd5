import Domain
import Foundation
import TestSupport
import Testing

@testable import Ledger

@Suite struct JournalTests {
    private let lane = LaneKey(shard: 3, node: 7, epoch: 99)
    private let thisLife = BootID(rawValue: 7)

    private func opening(_ number: Int, claims: Int = 2) -> Opening {
        Opening(
            requestID: RequestID(rawValue: UInt128(number)), key: KeyID(rawValue: .max),
            modelNumber: 1, backendNumber: -2,
            price: Price(
                version: 5, prompt: NanoUSD(rawValue: 1), cached: NanoUSD(rawValue: 2),
                cacheWrite: NanoUSD(rawValue: 3), completion: NanoUSD(rawValue: 4)),
            bound: TokenBound(prompt: 100, completion: 200),
            claims: Claims(
                (0..<claims).lazy.map { index in
                    Claim(
                        account: AccountKey(
                            subject: Subject(kind: .team, id: .min), resource: .requests,
                            period: .month, start: CalendarDay(rawValue: -5)),
                        accountID: AccountID(rawValue: Int64(index)),
                        lease: LeaseID(rawValue: .max),
                        units: 0x0102_0304_0506_0708)
                }), admittedAt: Timestamp(microseconds: 1_700_000_000_000_000))
    }

    private func closing(_ number: Int, _ usage: TokenUsage) -> Closing {
        let settlement = Settlement(
            usage: usage, basis: .reported, endState: .finished,
            timeToFirstToken: .milliseconds(5), duration: .milliseconds(9))
        let opening = opening(number)
        return Closing(
            requestID: opening.requestID, claims: opening.claims,
            charge: Charge(settlement, bound: opening.bound, price: opening.price),
            settlement: settlement, admittedAt: opening.admittedAt)
    }

    @Test(arguments: [0, 1, 2])
    func `a fee, the price of what was served, and attempts are read as they were written`(
        attempts: Int
    ) throws {
        let fee = NanoUSD(rawValue: 77)
        for price in [nil, opening(1).price, opening(1).price?.adding(fee: fee)] {
            let old = opening(1)
            let opening = Opening(
                requestID: old.requestID, key: old.key, modelNumber: 1, backendNumber: 2,
                price: price, bound: old.bound, claims: old.claims, admittedAt: old.admittedAt)
            let record = JournalRecord.opened(opening, lane: lane, slot: 1, boot: thisLife)
            guard
                case .opened(let read, _, _, _) = try JournalRecord.decode(
                    record.encoded(sequence: 1)[8...]
                ).record
            else {
                Issue.record("another record")
                return
            }
            #expect(read.price == price && read.costBound == opening.costBound)
            var settlement = closing(1, TokenUsage(prompt: 5, completion: 6)).settlement
            settlement.served = price
            // Attempts and a price that was served share a record.
            settlement.attempts = (0..<attempts).map { number in
                Attempt(
                    backend: "b\(number)", outcome: .busy, status: 503, begunAfter: .zero,
                    duration: .microseconds(3), usage: number == 0 ? nil : settlement.usage)
            }
            let bytes = JournalRecord.closed(old.requestID, settlement).encoded(sequence: 2)
            guard case .closed(_, let settled) = try JournalRecord.decode(bytes[8...]).record
            else {
                Issue.record("another record")
                return
            }
            #expect(settled == settlement)
            // Half of it is none.
            #expect(throws: ByteDecoder.Malformed.self) {
                try JournalRecord.decode(bytes.dropLast(1)[8...])
            }
        }
    }

    /// A folder of its own for the body, removed afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("journal-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    private func segment(_ count: Int) -> [UInt8] {
        (0..<count).flatMap { number in
            JournalRecord.opened(
                opening(number), lane: lane, slot: UInt32(number), boot: thisLife
            )
            .encoded(sequence: UInt64(number + 1))
        }
    }

    @Test func `every part of every record survives`() throws {
        let settlement = closing(1, TokenUsage(prompt: 9, cached: 3, completion: 8, reasoning: 2))
            .settlement
        var replay = JournalReplay(from: 10)
        let isWhole = replay.read(
            segment: JournalRecord.opened(opening(1), lane: lane, slot: 77, boot: thisLife).encoded(
                sequence: 10)
                + JournalRecord.closed(opening(1).requestID, settlement).encoded(sequence: 11)
                + JournalRecord.confirmed(lane, sequence: 5, finished: []).encoded(sequence: 12))
        #expect(isWhole && !replay.endsDamaged)
        let left = try #require(replay.unfinished[opening(1).requestID])
        #expect(left.lane == lane && left.slot == 77)
        #expect(left.opening.claims == opening(1).claims)
        #expect(left.opening.price == opening(1).price)
        #expect(left.opening.bound == opening(1).bound)
        #expect(left.opening.admittedAt == opening(1).admittedAt)
        #expect(left.settlement == settlement)
        #expect(replay.confirmed == [lane: 5])
    }

    @Test func `a journal cut at any byte gives exactly the records before the cut`() throws {
        let whole = segment(6)
        let one = whole.count / 6
        for cut in 0...whole.count {
            var replay = JournalReplay(from: 1)
            // What was not written yet is zero, as in a preallocated file.
            _ = replay.read(segment: Array(whole.prefix(cut)) + [UInt8](repeating: 0, count: 64))
            #expect(replay.unfinished.count == cut / one, "cut at \(cut)")
        }
    }

    @Test func `a flipped bit ends the replay before its record, wherever it is`() throws {
        let whole = segment(3)
        let one = whole.count / 3
        for position in whole.indices {
            var damaged = whole
            damaged[position] ^= 1 << (position % 8)
            var replay = JournalReplay(from: 1)
            _ = replay.read(segment: damaged)
            #expect(replay.unfinished.count <= position / one, "byte \(position)")
        }
    }

    @Test func `records of an older life of the same bytes are not believed`() {
        var replay = JournalReplay(from: 1)
        let old = JournalRecord.opened(opening(9), lane: lane, slot: 1, boot: thisLife).encoded(
            sequence: 900)
        _ = replay.read(segment: segment(1) + old)
        #expect(replay.unfinished.count == 1)
        #expect(replay.endsDamaged)
    }

    @Test func `a request is closed with its settlement, or its progress, or as void`() throws {
        var left = JournalReplay.Unfinished(
            opening: opening(1), lane: lane, slot: 0, boot: thisLife)
        let nothing = try #require(left.end(progress: nil, now: thisLife))
        #expect(nothing.basis == .void)
        #expect(left.closing(as: nothing).charge.tokens == 0)
        let progress = TokenUsage(prompt: 20, completion: 30)
        let recovered = try #require(left.end(progress: progress, now: thisLife))
        #expect(recovered.basis == .recovered)
        #expect(left.closing(as: recovered).charge.tokens == 50)
        left.settlement = closing(1, TokenUsage(prompt: 1, completion: 2)).settlement
        let settled = try #require(left.end(progress: progress, now: thisLife))
        #expect(settled.basis == .reported)
        #expect(left.closing(as: settled).charge.tokens == 3)
    }

    @Test func `progress of a machine that lost its power is not believed, a settlement is`() {
        var left = JournalReplay.Unfinished(
            opening: opening(1), lane: lane, slot: 0, boot: thisLife)
        let progress = TokenUsage(prompt: 20, completion: 30)
        for now in [BootID(rawValue: 8), BootID(rawValue: 0)] {
            #expect(left.end(progress: progress, now: now) == nil)
            #expect(left.end(progress: nil, now: now) == nil)
        }
        left.settlement = closing(1, TokenUsage(prompt: 1, completion: 2)).settlement
        #expect(left.end(progress: nil, now: BootID(rawValue: 8))?.usage.total == 3)
    }

    @Test func `a process that dies leaves its open requests and their progress to the next`()
        throws
    {
        try withFolder { folder in
            let first = try FileJournal(folder)
            for number in 1...3 {
                let isKept = first.opened(opening(number), lane: lane)
                #expect(isKept)
            }
            first.progressed(opening(1).requestID, usage: TokenUsage(prompt: 7, completion: 5))
            first.closed(closing(2, TokenUsage(prompt: 1, completion: 1)))
            first.confirmed(lane, sequence: 4, finished: [opening(3).requestID])
            // No close, no sync: what a kill leaves is what is in the page cache.
            let second = try FileJournal(folder)
            let left = second.replay.unfinished
            #expect(Set(left.keys) == [opening(1).requestID, opening(2).requestID])
            let one = try #require(left[opening(1).requestID])
            #expect(second.end(of: one)?.usage == TokenUsage(prompt: 7, completion: 5))
            let two = try #require(left[opening(2).requestID])
            #expect(second.end(of: two)?.usage.total == 2)
            #expect(second.replay.confirmed[lane] == 4)
        }
    }

    @Test func `what is recovered is forgotten, and not before`() throws {
        try withFolder { folder in
            do {
                let journal = try FileJournal(folder)
                _ = journal.opened(opening(1), lane: lane)
            }
            let again = try FileJournal(folder)
            #expect(again.replay.unfinished.count == 1)
            let third = try FileJournal(folder)
            #expect(third.replay.unfinished.count == 1, "a recovery that dies is done again")
            third.confirmed(lane, sequence: 0, finished: [opening(1).requestID])
            let fourth = try FileJournal(folder)
            #expect(fourth.replay.unfinished.isEmpty)
        }
    }

    @Test func `segments follow each other and go once nothing in them is open`() throws {
        try withFolder { folder in
            let journal = try FileJournal(folder, segmentBytes: 4096)
            for number in 1...100 {
                let isKept = journal.opened(opening(number), lane: lane)
                #expect(isKept)
            }
            func segments() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: folder + "/segments").count
            }
            #expect(try segments() > 5)
            let middle = try FileJournal(folder, segmentBytes: 4096)
            #expect(middle.replay.unfinished.count == 100)
            middle.confirmed(
                lane, sequence: 9, finished: (1...100).map { opening($0).requestID })
            #expect(try segments() <= 2)
            let last = try FileJournal(folder, segmentBytes: 4096)
            #expect(last.replay.unfinished.isEmpty)
            #expect(last.replay.confirmed[lane] == 9)
        }
    }

    @Test func `what is written into a later segment is read again, whatever was confirmed before`()
        throws
    {
        try withFolder { folder in
            let journal = try FileJournal(folder, segmentBytes: 4096)
            journal.confirmed(lane, sequence: 9, finished: [])
            for number in 1...100 {
                let isKept = journal.opened(opening(number), lane: lane)
                #expect(isKept)
            }
            let next = try FileJournal(folder, segmentBytes: 4096)
            #expect(next.replay.unfinished.count == 100)
            #expect(!next.replay.endsDamaged)
        }
    }

    @Test func `when every progress word is taken the next opening is refused, and later ones not`()
        throws
    {
        try withFolder { folder in
            let journal = try FileJournal(folder, segmentBytes: 64 << 20)
            for number in 1...FileJournal.slotCount {
                guard journal.opened(opening(number, claims: 0), lane: lane) else {
                    Issue.record("refused at \(number)")
                    return
                }
            }
            let isKept = journal.opened(opening(0, claims: 0), lane: lane)
            #expect(!isKept)
            journal.confirmed(lane, sequence: 1, finished: [opening(1).requestID])
            let isKeptNow = journal.opened(opening(0, claims: 0), lane: lane)
            #expect(isKeptNow)
        }
    }

    @Test func `the checksum is CRC-32C`() {
        #expect(CRC32C.checksum(Array("123456789".utf8)[...]) == 0xE306_9283)
    }
}
