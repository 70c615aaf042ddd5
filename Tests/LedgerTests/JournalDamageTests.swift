import Domain
import Foundation
import TestSupport
import Testing

@testable import Ledger

/// Whole files of a journal that are damaged, shortened, lost or mixed up: what came before is read,
/// nothing that came after is believed, and the journal goes on.
@Suite struct JournalDamageTests {
    private enum Damage: CaseIterable {
        case flippedBit, zeroedTail, zeroedWhole, shortened, emptied, removed, swapped, repeated
    }

    private static let count = 60
    private let lane = LaneKey(shard: 3, node: 7, epoch: 99)

    private func opening(_ number: Int) -> Opening {
        Opening(
            requestID: RequestID(rawValue: UInt128(number)), key: KeyID(rawValue: 5),
            modelNumber: 1, backendNumber: 2, price: nil,
            bound: TokenBound(prompt: 100, completion: 200), claims: [],
            admittedAt: Timestamp(microseconds: 1_700_000_000_000_000))
    }

    private func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder + "/segments")
            .filter { $0.hasSuffix(".log") }.sorted().map { "\(folder)/segments/\($0)" }
    }

    /// The highest request that was opened in each segment; they were opened in their order.
    private func lastRequests(_ files: [String]) throws -> [Int] {
        var last = 0
        return try files.map { file in
            let name = try #require(file.split(separator: "/").last)
            var replay = JournalReplay(from: UInt64(name.dropLast(4)) ?? 0)
            _ = replay.read(segment: Array(try Data(contentsOf: URL(fileURLWithPath: file))))
            last = replay.unfinished.keys.map { Int($0.rawValue) }.max() ?? last
            return last
        }
    }

    /// Damages one file; false when it is as it was, because it was zero there anyway.
    private func apply(
        _ damage: Damage, to file: String, of all: [String], _ random: inout SplitMix
    ) throws -> Bool {
        let url = URL(fileURLWithPath: file)
        let whole = try Data(contentsOf: url)
        var bytes = whole
        let position = Int(random.below(UInt64(bytes.count)))
        switch damage {
        case .flippedBit: bytes[position] ^= UInt8(1) << UInt8(random.below(8))
        case .zeroedTail: bytes.resetBytes(in: position..<bytes.count)
        case .zeroedWhole: bytes.resetBytes(in: 0..<bytes.count)
        case .shortened: bytes = bytes.prefix(position)
        case .emptied: bytes = Data()
        case .removed: try FileManager.default.removeItem(at: url)
        case .swapped, .repeated:
            let other = URL(fileURLWithPath: all[Int(random.below(UInt64(all.count)))])
            let others = try Data(contentsOf: other)
            if damage == .swapped { try bytes.write(to: other) }
            bytes = others
        }
        if damage != .removed { try bytes.write(to: url) }
        return damage == .removed || bytes + Data(count: whole.count - bytes.count) != whole
    }

    @Test(arguments: Damage.allCases)
    private func `what came before the damage is read, and nothing after it`(
        _ damage: Damage
    ) throws {
        for seed in 0..<UInt64(20) {
            var random = SplitMix(seed: seed)
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("journal-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            try check(damage, folder.path, &random, seed)
        }
    }

    private func check(
        _ damage: Damage, _ folder: String, _ random: inout SplitMix, _ seed: UInt64
    ) throws {
        let journal = try FileJournal(folder, segmentBytes: 1024)
        for number in 1...Self.count {
            let isKept = journal.opened(opening(number), lane: lane)
            #expect(isKept)
        }
        let all = try files(folder)
        let last = try lastRequests(all)
        let victim = Int(random.below(UInt64(all.count)))
        let isDamaged = try apply(damage, to: all[victim], of: all, &random)
        let next = try FileJournal(folder, segmentBytes: 1024)
        let found = Set(next.replay.unfinished.keys.map { Int($0.rawValue) })
        let before = victim == 0 ? 0 : last[victim - 1]
        if damage == .removed, victim == 0 {
            // Nobody can know that there was an earlier one: the ledger's own rows do.
            #expect(found == Set((last[0] + 1)...Self.count), "seed \(seed)")
        } else if damage == .swapped || damage == .repeated {
            // Another place may be damaged too, or none.
            #expect(found == Set(found.isEmpty ? 1..<1 : 1..<(found.count + 1)), "seed \(seed)")
        } else {
            #expect(found.isSuperset(of: before == 0 ? [] : Set(1...before)), "seed \(seed)")
            #expect(found == Set(found.isEmpty ? 1..<1 : 1..<(found.count + 1)), "seed \(seed)")
            #expect(found.count <= last[victim] || !isDamaged, "seed \(seed)")
        }
        // It goes on, and is read again to its end.
        let isKept = next.opened(opening(1000), lane: lane)
        #expect(isKept)
        let again = try FileJournal(folder, segmentBytes: 1024)
        let left = Set(again.replay.unfinished.keys.map { Int($0.rawValue) })
        #expect(left == found.union([1000]), "seed \(seed)")
    }
}
