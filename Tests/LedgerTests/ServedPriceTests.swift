import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// A record names the price that was really charged, and its tokens of sound stand beside it.
@Suite(.serialized) struct `Served otherwise than asked` {
    private static func price(_ amount: Int64) -> Price {
        let amount = NanoUSD(rawValue: amount * 1_000_000)
        return Price(
            alias: "demo", prompt: amount, cached: amount, cacheWrite: amount, completion: amount
        ).adding(audioPrompt: nil, audioCompletion: NanoUSD(rawValue: 9_000_000))
    }

    private static func settlement(_ served: Price?) -> Settlement {
        var settlement = Settlement(
            usage: TokenUsage(prompt: 20, completion: 9).withAudio(prompt: 0, completion: 4),
            basis: .reported, endState: .finished, timeToFirstToken: nil,
            duration: .milliseconds(9))
        settlement.served = served
        return settlement
    }

    private func story(_ database: TestDatabase, _ id: RequestID) throws -> RequestStory? {
        let connection = try database.connection()
        defer { connection.close() }
        guard
            case .story(let story) = try ExplainStore(connection).explain(
                id, organization: .default)
        else { return nil }
        return story
    }

    private func check(_ story: RequestStory?, by price: Price) throws {
        let story = try #require(story)
        guard case .settled(let outcome) = story.state else {
            Issue.record("open")
            return
        }
        #expect(story.prices?.version == price.version && story.prices?.price == price)
        #expect(outcome.cost == price.cost(of: outcome.usage))
        #expect(outcome.usage.audioCompletion == 4)
    }

    @Test func `the record names the cheaper price, and explain the cost by it`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(
            on: database, change: { $0.prices = ["demo": [Self.price(2), Self.price(1)]] }
        ) { node in
            let principal = try await node.principal(
                quotas: [(.key, .cost, .total, 1_000_000)], rateLimits: [])
            for (served, named) in [(Self.price(1), 1), (Self.price(3), 2), (nil, 2)]
                as [(Price?, Int64)]
            {
                let request = node.request(
                    principal, prompt: 50, completion: 50, price: Self.price(2))
                guard case .admitted(let reservation) = try await node.ledger.admit(request)
                else {
                    Issue.record("denied")
                    return
                }
                #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
                _ = try await node.ledger.settle(reservation, as: Self.settlement(served))
                try check(story(database, request.requestID), by: Self.price(named))
            }
        }
    }

    @Test func `what a killed node had settled is named and counted so when it is back`()
        async throws
    {
        let database = try TestDatabase.make()
        let manager = FileManager.default
        let folder = manager.temporaryDirectory.appendingPathComponent("node-\(UUID().uuidString)")
        let disk = manager.temporaryDirectory.appendingPathComponent("node-\(UUID().uuidString)")
        try manager.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            try? manager.removeItem(at: folder)
            try? manager.removeItem(at: disk)
        }
        let change: (inout LedgerSettings) -> Void = {
            $0.prices = ["demo": [Self.price(2), Self.price(1)]]
        }
        try await PostgresUnderTest.run(on: database, folder: folder.path, change: change) { node in
            let principal = try await node.principal(
                quotas: [(.key, .cost, .total, 1_000_000)], rateLimits: [])
            let request = node.request(
                principal, prompt: 50, completion: 50, price: Self.price(2))
            guard case .admitted(let reservation) = try await node.ledger.admit(request) else {
                Issue.record("denied")
                return
            }
            #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
            // The ledger is away, so that the settlement is on the disk and nowhere else.
            try database.takeAway()
            let isAway = try await eventually { !node.node.isReady }
            #expect(isAway)
            _ = try? await node.ledger.settle(reservation, as: Self.settlement(Self.price(1)))
            try manager.copyItem(at: folder, to: disk)
            let restored = try database.copy(staysAway: true)
            try await PostgresUnderTest.run(on: restored, folder: disk.path, change: change) {
                again in
                let isReady = try await eventually { again.node.isReady }
                #expect(isReady)
                try check(story(restored, request.requestID), by: Self.price(1))
            }
            try database.bringBack()
        }
    }

    @Test(arguments: [true, false])
    func `sound and its prices survive the journal`(isServed: Bool) throws {
        let id = RequestID(rawValue: 5)
        let settlement = Self.settlement(
            isServed ? Self.price(1).adding(fee: .init(rawValue: 3)) : nil)
        let bytes = JournalRecord.closed(id, settlement).encoded(sequence: 3)
        guard case .closed(_, let read) = try JournalRecord.decode(bytes[8...]).record else {
            Issue.record("no closing")
            return
        }
        #expect(read == settlement)
        for end in 9..<bytes.count {
            // Without its price it is a record of before, which the checksum tells apart.
            let cut = try? JournalRecord.decode(bytes[8..<end])
            if case .closed(_, let part)? = cut?.record { #expect(part != settlement) }
        }
    }
}
