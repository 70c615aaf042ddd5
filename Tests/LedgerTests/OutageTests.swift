import Domain
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Ledger

/// The ledger is away for a while: no session can be opened, and those that were open end.
@Suite(.serialized) struct OutageTests {
    /// A node with a principal that has a lease of each of its quotas, and then no ledger; the body
    /// says when it is back.
    private func inOutage(
        quotas: [(Subject.Kind, Resource, Period, Int64)] = [
            (.key, .tokens, .total, 1_000_000), (.team, .requests, .day, 100_000),
        ],
        rides: Bool = true, flush: @escaping JournalSync.Flush = JournalSync.dataSync,
        change: (inout LedgerSettings) -> Void = { _ in },
        _ body: (PostgresUnderTest, TestDatabase, Principal) async throws -> Void
    ) async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database, flush: flush, change: change) { node in
            let principal = try await node.principal(quotas: quotas, rateLimits: [])
                .riding(rides)
            // The first requests bring the leases.
            for _ in 0..<8 {
                let request = node.request(principal, prompt: 50, completion: 50)
                _ = try #require(
                    try await node.serve(request, using: TokenUsage(prompt: 10, completion: 10)))
            }
            try database.takeAway()
            let isAway = try await eventually { !node.node.isReady }
            #expect(isAway)
            try await body(node, database, principal)
            try database.bringBack()
            let isBack = try await eventually { node.node.isReady }
            #expect(isBack)
        }
    }

    private func expectBooksAddUp(_ node: PostgresUnderTest) async throws {
        #expect(
            try await node.number(
                """
                SELECT count(*) FROM account a WHERE a.granted <> a.used + coalesce((
                    SELECT sum(l.granted) FROM lease l WHERE l.shard = a.shard
                        AND l.account_id = a.account_id), 0)
                """) == 0)
    }

    @Test func `requests within leases go on and are all recorded when the ledger is back`()
        async throws
    {
        try await inOutage { node, database, principal in
            for _ in 0..<20 {
                let request = node.request(principal, prompt: 50, completion: 50)
                let receipt = try #require(
                    try await node.serve(request, using: TokenUsage(prompt: 20, completion: 10)))
                #expect(receipt.recorded)
            }
            try database.bringBack()
            let areRecorded = try await eventually {
                try await node.number("SELECT count(*) FROM usage") == 28
            }
            #expect(areRecorded)
            #expect(try await node.number("SELECT count(*) FROM reservation") == 0)
            #expect(try await node.used(node.account(principal.quotas[0])) == 8 * 20 + 20 * 30)
            #expect(try await node.used(node.account(principal.quotas[1])) == 28)
            try await expectBooksAddUp(node)
        }
    }

    @Test func `a strict quota refuses at once, and loses nothing`() async throws {
        try await inOutage(rides: false) { node, _, principal in
            let started = ContinuousClock.now
            await #expect(throws: LedgerFault.unavailable) {
                _ = try await node.ledger.admit(
                    node.request(principal, prompt: 50, completion: 50))
            }
            #expect(ContinuousClock.now - started < .milliseconds(200))
        }
    }

    @Test func `used-up leases refuse at once, and nothing beyond them is let through`()
        async throws
    {
        try await inOutage { node, database, principal in
            var admitted = 0
            while try await node.isServed(principal) { admitted += 1 }
            #expect(admitted > 0)
            let started = ContinuousClock.now
            for _ in 0..<10 { #expect(try await node.isServed(principal) == false) }
            #expect(ContinuousClock.now - started < .milliseconds(500))
            try database.bringBack()
            let areRecorded = try await eventually {
                try await node.number("SELECT count(*) FROM usage") == Int64(admitted + 8)
            }
            #expect(areRecorded)
            let serves = try await eventually { try await node.isServed(principal) }
            #expect(serves)
        }
    }

    @Test func `a ledger that hangs is ridden out like one that is gone`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            for _ in 0..<8 { #expect(try await node.isServed(principal)) }
            // Its lane's row is held: the batch gets no answer, and no error either.
            let other = try database.connection()
            defer { other.close() }
            try other.execute(script: "BEGIN; SELECT 1 FROM node_lane FOR UPDATE")
            let request = node.request(principal, prompt: 50, completion: 50)
            let started = ContinuousClock.now
            let receipt = try await node.serve(request, using: TokenUsage(prompt: 3, completion: 4))
            #expect(receipt?.recorded == true)
            #expect(ContinuousClock.now - started < .seconds(3))
            try other.execute(script: "ROLLBACK")
            let isRecorded = try await eventually {
                try await node.number(
                    "SELECT charged FROM usage WHERE request_id = $1",
                    [.uuid(request.requestID.rawValue)]) == 7
            }
            #expect(isRecorded)
        }
    }

    @Test func `a node killed in an outage records what it did there when it is back`() async throws
    {
        let database = try TestDatabase.make()
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let disk = try Self.folder()
        defer { try? FileManager.default.removeItem(at: disk) }
        try await PostgresUnderTest.run(on: database, folder: folder.path) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            for _ in 0..<8 { #expect(try await node.isServed(principal)) }
            try database.takeAway()
            let isAway = try await eventually { !node.node.isReady }
            #expect(isAway)
            // One ends, one is killed in the middle, one before it delivered anything.
            #expect(try await node.isServed(principal))
            var open: [ReservationBox] = []
            for delivered in [TokenUsage(prompt: 20, completion: 5), nil] {
                let request = node.request(principal, prompt: 50, completion: 50)
                guard case .admitted(let reservation) = try await node.ledger.admit(request) else {
                    Issue.record("denied")
                    return
                }
                #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
                if let delivered { node.ledger.note(delivered, of: reservation) }
                open.append(ReservationBox(reservation))
            }
            try FileManager.default.removeItem(at: disk)
            try FileManager.default.copyItem(at: folder, to: disk)
            // The first process is dead in this story: it never sees the ledger that comes back.
            let restored = try database.copy(staysAway: true)
            try await PostgresUnderTest.run(on: restored, folder: disk.path) { again in
                let isRecorded = try await eventually {
                    try await again.number("SELECT count(*) FROM usage WHERE basis = 6") == 2
                }
                #expect(isRecorded)
                #expect(
                    try await again.used(again.account(principal.quotas[0])) == 8 * 100 + 100 + 25)
                try await expectBooksAddUp(again)
            }
            for box in open {
                if let reservation = box.take() {
                    _ = try? await node.ledger.settle(reservation, as: .void)
                }
            }
            try database.bringBack()
        }
    }

    @Test func `the first failed flush ends admission and the program`() async throws {
        let calls = Atomic<Int>(0)
        let flush: JournalSync.Flush = { _ in
            calls.add(1, ordering: .relaxed)
            return EIO
        }
        // Before the outage no end may need the disk, however slow the ledger is.
        try await inOutage(
            flush: flush,
            change: {
                $0.drainWait = .seconds(1)
                $0.settlementWait = .seconds(10)
            }
        ) { node, database, principal in
            #expect(try await node.isServed(principal) == false)
            await #expect(throws: LedgerStartError.self) {
                try await node.node.journalWatch.run()
            }
            try database.bringBack()
            let isBack = try await eventually { node.node.isReady }
            #expect(isBack)
            #expect(try await node.isServed(principal) == false)
            // Never tried again: a kernel may have dropped what it could not write.
            #expect(calls.load(ordering: .relaxed) == 1)
        }
    }

    private static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test func `nobody rides longer than the node was last known alive`() async throws {
        try await inOutage(change: { $0.rideFor = .zero }) { node, _, principal in
            await #expect(throws: LedgerFault.unavailable) {
                _ = try await node.ledger.admit(
                    node.request(principal, prompt: 50, completion: 50))
            }
        }
    }

    @Test func `a key revoked behind an outage cannot take back what it was let do`() async throws {
        try await inOutage { node, database, principal in
            let request = node.request(principal, prompt: 50, completion: 50)
            guard case .admitted(let reservation) = try await node.ledger.admit(request) else {
                Issue.record("denied")
                return
            }
            #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
            _ = try await node.ledger.settle(
                reservation,
                as: Settlement(
                    usage: TokenUsage(prompt: 40, completion: 7), basis: .reported,
                    endState: .finished, timeToFirstToken: nil, duration: .milliseconds(3)))
            try await node.revoke(principal.key)
            try database.bringBack()
            let recorded = try await eventually {
                try await node.number(
                    "SELECT count(*) FROM usage WHERE request_id = $1",
                    [.uuid(request.requestID.rawValue)]) == 1
            }
            #expect(recorded)
            #expect(
                try await node.number(
                    "SELECT charged FROM usage WHERE request_id = $1",
                    [.uuid(request.requestID.rawValue)]) == 47)
        }
    }

    @Test func `a node fenced behind an outage records late, and nobody had its units meanwhile`()
        async throws
    {
        let limit: Int64 = 100_000
        try await inOutage(quotas: [(.key, .tokens, .total, limit)]) { node, database, principal in
            // One request ends during the outage, one runs on beyond it.
            let done = node.request(principal, prompt: 50, completion: 50)
            _ = try #require(
                try await node.serve(done, using: TokenUsage(prompt: 20, completion: 10)))
            let running = node.request(principal, prompt: 50, completion: 50)
            guard case .admitted(let reservation) = try await node.ledger.admit(running) else {
                Issue.record("denied")
                return
            }
            #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
            let granted = try await node.number("SELECT granted FROM account")
            try await node.fenceAndSweep()
            // What it may have spent behind the outage is nobody else's.
            #expect(try await node.number("SELECT granted FROM account") == granted)
            try database.bringBack()
            let isLate = try await eventually {
                try await node.number("SELECT count(*) FROM usage WHERE basis IN (4, 6)") == 2
            }
            #expect(isLate)
            #expect(
                try await node.number(
                    "SELECT charged FROM usage WHERE request_id = $1 AND basis = 6",
                    [.uuid(done.requestID.rawValue)]) == 30)
            // The running one was charged at its bound; its end sets that right.
            var fault: LedgerFault?
            do throws(LedgerFault) {
                _ = try await node.ledger.settle(
                    reservation,
                    as: Settlement(
                        usage: TokenUsage(prompt: 5, completion: 4), basis: .reported,
                        endState: .finished, timeToFirstToken: nil, duration: .milliseconds(3)))
            } catch {
                fault = error
            }
            #expect(fault == .fenced)
            let isCorrected = try await eventually {
                try await node.used(node.account(principal.quotas[0])) == 8 * 20 + 30 + 9
            }
            #expect(isCorrected)
            try await expectBooksAddUp(node)
        }
    }
}

extension Principal {
    /// The same with quotas that ride outages, or not.
    func riding(_ rides: Bool) -> Principal {
        Principal(
            shard: shard, organization: organization, team: team, key: key, keySubject: keySubject,
            allowedModels: allowedModels, defaultCompletionTokens: defaultCompletionTokens,
            alwaysShowsUsage: alwaysShowsUsage,
            quotas: quotas.map {
                Quota(
                    subject: $0.subject, resource: $0.resource, period: $0.period, limit: $0.limit,
                    ridesOutages: rides)
            }, rateLimits: rateLimits)
    }
}

extension PostgresUnderTest {
    /// Whether a request of 100 tokens is served now, to its end.
    func isServed(_ principal: Principal) async throws -> Bool {
        do {
            let request = request(principal, prompt: 50, completion: 50)
            return try await serve(request, using: TokenUsage(prompt: 50, completion: 50)) != nil
        } catch LedgerFault.unavailable {
            return false
        }
    }

    /// Another node finds this one dead: fences it, settles what it left open, and sweeps its
    /// leases.
    func fenceAndSweep() async throws {
        let (shard, node) = (OrganizationID.default.shard.rawValue, node.node)
        try await execute("UPDATE node_lane SET live = false WHERE live")
        try await run { connection throws(PostgresError) in
            guard let row = try LaneStart.read(connection, shard: shard, node: node) else { return }
            let lane = LaneKey(shard: shard, node: node, epoch: row.epoch)
            try Sweep(lane: lane).run(connection)
        }
    }
}
