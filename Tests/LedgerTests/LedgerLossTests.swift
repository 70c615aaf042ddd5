import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// A failover to a server that had not received everything: what the ledger had confirmed is gone,
/// and nobody says so. The database that has lost it is a copy taken before.
@Suite(.serialized) struct LedgerLossTests {
    private let lane = LaneKey(shard: 1, node: 2, epoch: 10)
    private let next = LaneKey(shard: 1, node: 2, epoch: 11)

    private func row(_ epoch: UInt128, _ sequence: Int64) -> LaneMachine.Row {
        LaneMachine.Row(epoch: epoch, lastSequence: sequence, isLive: true)
    }

    @Test func `what is lost follows from the lane's row, its epoch and what was confirmed`() {
        let confirmed = [lane: 7 as Int64, next: 3]
        let lanes = [lane, next]
        #expect(LedgerLoss(row: row(11, 3), lanes: lanes, confirmed: confirmed) == nil)
        #expect(LedgerLoss(row: row(11, 9), lanes: lanes, confirmed: confirmed) == nil)
        // An epoch the journal never noted is newer than it.
        #expect(LedgerLoss(row: row(12, 0), lanes: lanes, confirmed: confirmed) == nil)
        #expect(LedgerLoss(row: row(11, 2), lanes: lanes, confirmed: confirmed)?.lanes == [next: 2])
        #expect(LedgerLoss(row: row(10, 7), lanes: lanes, confirmed: confirmed)?.lanes == [next: 0])
        #expect(
            LedgerLoss(row: row(10, 5), lanes: lanes, confirmed: confirmed)?.lanes
                == [lane: 5, next: 0])
    }

    @Test func `a loss is repeated as far as the journal reaches, and no further`() throws {
        let loss = try #require(
            LedgerLoss(row: row(10, 5), lanes: [lane], confirmed: [lane: 9]))
        #expect(loss.covers(lane, 6) && !loss.covers(lane, 5) && !loss.covers(next, 6))
        #expect(loss.isWithin(forgotten: [:]))
        #expect(loss.isWithin(forgotten: [lane: 5]))
        #expect(!loss.isWithin(forgotten: [lane: 6]))
    }

    @Test func `a correction that a failover lost is made again`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            #expect(try await node.isServed(principal))
            let account = node.account(principal.quotas[0])
            let swept = try await opened(node, principal)
            try await node.execute("UPDATE node_lane SET live = false")
            let isSwept = try await eventually {
                try await node.number("SELECT count(*) FROM usage WHERE basis = 4") == 1
                    && node.node.isReady
            }
            #expect(isSwept)
            #expect(try await node.isServed(principal))
            let before = try await node.used(account)
            let sequence = try await node.number("SELECT last_seq FROM node_lane") ?? 0
            let standby = try database.copy()
            await #expect(throws: LedgerFault.self) {
                try await settled(swept, at: node, as: .of(3, 4))
            }
            let isCorrected = try await eventually { try await node.used(account) == before - 93 }
            #expect(isCorrected)
            // Sealed: nothing else has to happen for the loss to be noticed.
            let isSealed = try await eventually {
                try await node.number("SELECT last_seq FROM node_lane") ?? 0 > sequence
            }
            #expect(isSealed)
            try database.become(standby)
            let isCorrectedAgain = try await eventually {
                try await node.used(account) == before - 93
            }
            #expect(isCorrectedAgain)
        }
    }

    @Test func `what was spent of a grant that a failover lost is charged all the same`()
        async throws
    {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: []
            ).riding(false)
            #expect(try await node.isServed(principal))
            let account = node.account(principal.quotas[0])
            let before = try await node.used(account)
            let standby = try database.copy()
            // Its connections were cut: they are back once a small request is served.
            let isBack = try await eventually { (try? await node.isServed(principal)) ?? false }
            #expect(isBack)
            let between = try await node.used(account) - before
            let large = node.request(principal, prompt: 20_000, completion: 20_000)
            _ = try #require(
                try await node.serve(large, using: TokenUsage(prompt: 20_000, completion: 13_000)))
            try database.become(standby)
            let isCharged = try await eventually {
                try await node.used(account) == before + between + 33_000
            }
            #expect(isCharged)
        }
    }

    @Test func `a running request without room for its bound is recorded at its end`()
        async throws
    {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: []
            ).riding(false)
            #expect(try await node.isServed(principal))
            let account = node.account(principal.quotas[0])
            let standby = try database.copy()
            let isBack = try await eventually { (try? await node.isServed(principal)) ?? false }
            #expect(isBack)
            let running = try await opened(node, principal, prompt: 300_000, completion: 300_000)
            let (granted, used) = (
                try await node.number("SELECT granted FROM account") ?? 0,
                try await node.used(account)
            )
            #expect(granted > 600_000)
            // On the standby another node has nearly everything.
            let other = try standby.connection()
            try other.execute(
                script: """
                    UPDATE account SET limit_units = granted + 20000, cap = granted + 20000;
                    UPDATE quota SET limit_units = (SELECT cap FROM account)
                    """)
            other.close()
            try database.become(standby)
            // Fenced, unless the node has not noticed yet.
            _ = try? await settled(running, at: node, as: .of(200, 10))
            let isCharged = try await eventually { try await node.used(account) == used + 210 }
            #expect(isCharged)
            #expect(try await node.number("SELECT count(*) FROM usage WHERE basis = 6") ?? 0 >= 1)
        }
    }

    @Test func `a node of which the ledger has lost everything tells it everything`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            // Neither a lane nor an account is there yet.
            let standby = try database.copy()
            var told: Int64 = 0
            let isServed = try await eventually {
                guard (try? await node.isServed(principal)) ?? false else { return false }
                told += 1
                return told == 3
            }
            #expect(isServed)
            let isThere = try await eventually {
                try await node.number("SELECT count(*) FROM usage") == told
            }
            #expect(isThere)
            try database.become(standby)
            let isTold = try await eventually {
                try await node.number("SELECT count(*) FROM usage WHERE basis = 6") == told
            }
            #expect(isTold)
            #expect(try await node.used(node.account(principal.quotas[0])) == told * 100)
            let goesOn = try await eventually { (try? await node.isServed(principal)) ?? false }
            #expect(goesOn)
        }
    }

    @Test func `a node whose lease the ledger has lost starts anew, and serves`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            #expect(try await node.isServed(principal))
            let isSettled = try await eventually {
                try await node.number("SELECT count(*) FROM reservation") == 0
            }
            #expect(isSettled)
            // What a failover does that takes a grant and no batch.
            try await node.execute(
                """
                WITH l AS (UPDATE lease SET granted = settled RETURNING account_id, settled)
                UPDATE account SET granted = used + l.settled FROM l
                WHERE account.account_id = l.account_id
                """)
            let isServed = try await eventually { (try? await node.isServed(principal)) ?? false }
            #expect(isServed)
            #expect(try await node.number("SELECT count(*) FROM lease") == 1)
        }
    }

    @Test func `a running node tells a ledger that went back what it had confirmed`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000), (.team, .requests, .day, 1000)],
                rateLimits: [])
            for _ in 0..<4 { #expect(try await node.isServed(principal)) }
            // The standby has this much. One request is open on it that will end beyond it.
            let across = try await opened(node, principal)
            let standby = try database.copy()
            try await settled(across, at: node, as: .of(20, 10))
            for _ in 0..<3 { #expect(try await node.isServed(principal)) }
            let running = try await opened(node, principal)
            // Nothing that the disk alone has confirmed.
            let isThere = try await eventually {
                try await node.number(
                    """
                    SELECT (SELECT count(*) FROM usage) + (SELECT count(*) FROM reservation)
                    """) == 9
            }
            #expect(isThere)
            try database.become(standby)
            let isTold = try await eventually {
                try await node.number("SELECT count(*) FROM usage WHERE basis <> 4") == 8
            }
            #expect(isTold)
            // The one that ran on was charged at its bound, and is set right at its end.
            var fault: LedgerFault?
            do {
                try await settled(running, at: node, as: .of(3, 4))
            } catch let error as LedgerFault {
                fault = error
            }
            #expect(fault == .fenced)
            let isRight = try await eventually {
                try await node.used(node.account(principal.quotas[0])) == 700 + 30 + 7
            }
            #expect(isRight)
            #expect(try await node.used(node.account(principal.quotas[1])) == 9)
            #expect(try await node.isServed(principal))
        }
    }

    private func settled(
        _ box: ReservationBox, at node: PostgresUnderTest, as settlement: Settlement
    ) async throws {
        guard let reservation = box.take() else { return }
        _ = try await node.ledger.settle(reservation, as: settlement)
    }

    private func opened(
        _ node: PostgresUnderTest, _ principal: Principal, prompt: Int64 = 50,
        completion: Int64 = 50
    ) async throws -> ReservationBox {
        let request = node.request(principal, prompt: prompt, completion: completion)
        guard case .admitted(let reservation) = try await node.ledger.admit(request) else {
            throw LedgerFault.unavailable
        }
        #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
        return ReservationBox(reservation)
    }

    @Test func `a node that starts tells a ledger that went back, and refuses one too old`()
        async throws
    {
        for keptFor in [Duration.seconds(900), .zero] {
            let database = try TestDatabase.make()
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("node-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            var standby: TestDatabase?
            var owner: Principal?
            try await PostgresUnderTest.run(on: database, folder: folder.path) { node in
                let principal = try await node.principal(
                    quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
                owner = principal
                #expect(try await node.isServed(principal))
                standby = try database.copy()
                for _ in 0..<3 { #expect(try await node.isServed(principal)) }
            }
            let (restored, principal) = (try #require(standby), try #require(owner))
            if keptFor == .zero { try forgetEverything(in: folder) }
            func start(_ change: @escaping (inout LedgerSettings) -> Void) async throws {
                try await PostgresUnderTest.run(
                    on: restored, folder: folder.path, change: change
                ) { node in
                    let isReady = try await eventually { node.node.isReady }
                    #expect(isReady)
                    let told: Int64 = keptFor == .zero ? 1 : 4
                    #expect(try await node.number("SELECT count(*) FROM usage") == told)
                    #expect(
                        try await node.used(node.account(principal.quotas[0])) == told * 100)
                }
            }
            if keptFor == .zero {
                await #expect(throws: LedgerStartError.self) {
                    try await PostgresUnderTest.run(on: restored, folder: folder.path) { node in
                        _ = try await eventually { node.node.isReady }
                    }
                }
                try await start { $0.acceptsOlderLedger = true }
            } else {
                try await start { _ in }
            }
        }
    }

    /// What a journal looks like long after: segments gone, and the note that they are.
    private func forgetEverything(in folder: URL) throws {
        let segments = folder.appendingPathComponent("segments")
        let names = try FileManager.default.contentsOfDirectory(atPath: segments.path).sorted()
        var replay = JournalReplay(from: UInt64(names[0].prefix(20)) ?? 1)
        for name in names {
            _ = replay.read(segment: Array(try Data(contentsOf: segments.appending(path: name))))
        }
        for name in names { try FileManager.default.removeItem(at: segments.appending(path: name)) }
        var sequence = replay.nextSequence
        var bytes: [UInt8] = []
        for (lane, confirmed) in replay.confirmed {
            for record in [
                JournalRecord.laneOpened(lane),
                .confirmed(lane, sequence: confirmed, finished: []),
                .forgotten(lane, sequence: confirmed),
            ] {
                bytes += record.encoded(sequence: sequence)
                sequence += 1
            }
        }
        bytes += [UInt8](repeating: 0, count: FileJournal.usualSegmentBytes - bytes.count)
        let first = String(replay.nextSequence)
        let name = String(repeating: "0", count: 20 - first.count) + first + ".log"
        try Data(bytes).write(to: segments.appending(path: name))
    }
}

extension Settlement {
    /// A reported end.
    static func of(_ prompt: Int64, _ completion: Int64) -> Settlement {
        Settlement(
            usage: TokenUsage(prompt: prompt, completion: completion), basis: .reported,
            endState: .finished, timeToFirstToken: nil, duration: .milliseconds(3))
    }
}
