import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.serialized) struct IdempotencyUpkeepTests {
    private let usage = TokenUsage(prompt: 12, completion: 30)

    @Test func `a kept answer is told byte for byte where answers are replayed, and nowhere else`()
        async throws
    {
        try await PostgresUnderTest.run { node in
            let (once, plain) = (try OnceUnderTest(node, replays: true), try OnceUnderTest(node))
            let principal = try await node.principal(quotas: [], rateLimits: [])
            let answer = StoredAnswer(
                contentType: "text/event-stream",
                body: (0..<StoredAnswer.mostBytes).map(UInt8.init(truncatingIfNeeded:)))
            let claim = try await once.serve(principal, "kept", usage)
            await once.claims.keep(answer, of: claim)
            func end(_ answer: StoredAnswer?) -> IdempotencyVerdict {
                .ended(
                    IdempotentEnd(
                        requestID: claim.requestID, usage: usage, endState: .finished,
                        answer: answer))
            }
            #expect(try await once.verdict(principal, "kept") == end(answer))
            #expect(try await plain.verdict(principal, "kept") == end(nil))
            #expect(try await once.verdict(principal, "kept", body: "other") == .otherRequest)
        }
    }

    /// Makes every insert into a table fail as on a full disk, or ends that.
    private func fill(_ isFull: Bool, _ table: String, _ node: PostgresUnderTest) async throws {
        try await node.execute(
            """
            CREATE OR REPLACE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN RAISE EXCEPTION ''could not extend file'' USING ERRCODE = ''53100''; END'
            """)
        try await node.execute(
            isFull
                ? "CREATE TRIGGER full_disk BEFORE INSERT ON \(table) EXECUTE FUNCTION is_full()"
                : "DROP TRIGGER full_disk ON \(table)")
    }

    @Test
    func `an answer for which the disk has no room is left out, and its request is over`()
        async throws
    {
        try await PostgresUnderTest.run { node in
            let once = try OnceUnderTest(node, replays: true)
            let principal = try await node.principal(quotas: [], rateLimits: [])
            let answer = StoredAnswer(contentType: "application/json", body: [1, 2, 3])
            func told(_ claim: IdempotencyClaim, _ answer: StoredAnswer?) -> IdempotencyVerdict {
                .ended(
                    IdempotentEnd(
                        requestID: claim.requestID, usage: usage, endState: .finished,
                        answer: answer))
            }
            try await fill(true, "idempotent_answer", node)
            let first = try await once.serve(principal, "first", usage)
            await once.claims.keep(answer, of: first)
            #expect(try await once.verdict(principal, "first") == told(first, nil))
            try await fill(false, "idempotent_answer", node)
            // The connections are as good as before.
            let second = try await once.serve(principal, "second", usage)
            await once.claims.keep(answer, of: second)
            #expect(try await once.verdict(principal, "second") == told(second, answer))
        }
    }

    @Test func `nothing is claimed on a full disk, and afterwards it is`() async throws {
        try await PostgresUnderTest.run { node in
            let once = try OnceUnderTest(node)
            let principal = try await node.principal(quotas: [], rateLimits: [])
            try await fill(true, "idempotent_request", node)
            await #expect(throws: LedgerFault.unavailable) {
                _ = try await once.verdict(principal, "order")
            }
            try await fill(false, "idempotent_request", node)
            #expect(try await once.verdict(principal, "order") == .claimed)
        }
    }

    @Test func `a claim lasts a day, and then neither it nor its answer is left`() async throws {
        try await PostgresUnderTest.run { node in
            let once = try OnceUnderTest(node)
            let principal = try await node.principal(quotas: [], rateLimits: [])
            let old = try await once.serve(principal, "old", usage)
            await once.claims.keep(StoredAnswer(contentType: "a", body: [1]), of: old)
            try await node.execute(
                """
                UPDATE idempotent_request SET claimed_at = now() - interval '23 hours 59 minutes'
                """)
            #expect(try await once.verdict(principal, "old") != .claimed)
            let past = "now() - interval '24 hours 1 minute'"
            try await node.execute("UPDATE idempotent_request SET claimed_at = \(past)")
            #expect(try await once.verdict(principal, "old", body: "new") == .claimed)
            try await once.serve(principal, "young", usage)
            // More than are taken away at once.
            try await node.execute(
                """
                INSERT INTO idempotent_request (shard, key_id, name_digest, fingerprint,
                    request_id, node_id, epoch, claimed_at)
                SELECT i.shard, n, i.name_digest, i.fingerprint, i.request_id, i.node_id, i.epoch,
                    \(past)
                FROM idempotent_request i, generate_series(1, 700) n
                """)
            try await node.execute("UPDATE idempotent_answer SET stored_at = \(past)")
            try await once.claims.forget()
            #expect(try await node.number("SELECT count(*) FROM idempotent_request") == 2)
            #expect(try await node.number("SELECT count(*) FROM idempotent_answer") == 0)
        }
    }

    @Test
    func `without the ledger nothing is claimed or confirmed, and what is given back is later`()
        async throws
    {
        let database = try TestDatabase.make()
        // Through a pooler an outage is known by nothing but silence.
        try await PostgresUnderTest.run(
            on: database, change: { $0.acceptanceWait = .seconds(3) }
        ) { node in
            let once = try OnceUnderTest(node)
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            // Brings the lease on which the next request may ride.
            try await once.serve(principal, "before", usage)
            let (request, claim) = once.request(principal, "cut off")
            #expect(try await once.claims.claim(claim) == .claimed)
            let given = once.request(principal, "given back").1
            #expect(try await once.claims.claim(given) == .claimed)
            try node.database.takeAway()
            #expect(try await eventually { !node.node.isReady })
            guard case .admitted(let reservation) = try await node.ledger.admit(request) else {
                throw OnceUnderTest.Unexpected()
            }
            // The lease lets it in; the claim does not.
            #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
            await #expect(throws: LedgerFault.unavailable) {
                _ = try await once.claims.confirm(claim)
            }
            await #expect(throws: LedgerFault.unavailable) {
                _ = try await once.verdict(principal, "not now")
            }
            _ = try? await node.ledger.settle(reservation, as: .void)
            await once.claims.release(given)
            try node.database.bringBack()
            #expect(try await eventually { node.node.isReady })
            #expect(
                try await once.verdict(principal, "given back")
                    == .inProgress(first: given.requestID))
            await once.claims.releaseLeft()
            #expect(try await once.verdict(principal, "given back") == .claimed)
            // Its void record is on its way.
            #expect(
                try await eventually { try await once.verdict(principal, "cut off") == .claimed })
        }
        withExtendedLifetime(database) {}
    }
}
