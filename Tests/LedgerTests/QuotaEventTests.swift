import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// The events of one node that runs, and of the webhooks it knows.
private func events(
    _ node: PostgresUnderTest, _ webhooks: [WebhookSubscription] = [.all("ops")]
) throws -> PostgresEventLedger {
    var settings = LedgerSettings(
        databaseURL: node.database.url, dataDirectory: "", models: [], backends: [], prices: [:])
    settings.usesPreparedStatements = TestDatabase.ownsSessions
    let random = LedgerRandom {
        var random = SystemRandomNumberGenerator()
        return random.next()
    }
    return try PostgresEventLedger(
        settings, of: node.node, webhooks: webhooks, time: SystemTime(), random: random,
        logger: .quiet)
}

extension WebhookSubscription {
    fileprivate static func all(_ name: String) -> WebhookSubscription {
        WebhookSubscription(name: name, organization: nil, kinds: [.warning, .exhausted])
    }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct QuotaEventTests {
    private let lease = Duration.seconds(60)

    /// Serves `count` requests, one after the other.
    private func serve(
        _ count: Int, _ principal: Principal, _ node: PostgresUnderTest
    ) async throws {
        for _ in 0..<count {
            var receipt: Receipt?
            // Another node may still hold what is left, for a moment.
            while receipt == nil {
                let request = node.request(principal, prompt: 5, completion: 5)
                receipt = try await node.serve(
                    request, using: TokenUsage(prompt: 5, completion: 5))
            }
        }
    }

    private func noted(_ node: PostgresUnderTest) async throws -> [[Int64]] {
        try await node.rows(
            """
            SELECT kind::int8, threshold_percent::int8, limit_units, used FROM quota_event
            ORDER BY limit_units, threshold_percent
            """)
    }

    @Test func `however many nodes see a threshold, it is one event and one delivery each`()
        async throws
    {
        try await NodesUnderTest.run(3) { nodes in
            let principal = try await nodes[0].principal(
                quotas: [(.team, .requests, .day, 10)], rateLimits: [])
            let ledgers = try nodes.nodes.map { try events($0, [.all("ops"), .all("log")]) }
            func note() async throws {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for ledger in ledgers {
                        group.addTask { try await ledger.noteSettled() }
                        group.addTask { try await ledger.review() }
                    }
                    try await group.waitForAll()
                }
            }
            for round in 0..<7 { try await serve(1, principal, nodes[round % 3]) }
            try await note()
            #expect(try await noted(nodes[0]).isEmpty)
            try await serve(1, principal, nodes[1])
            for _ in 0..<5 { try await note() }
            #expect(try await noted(nodes[0]) == [[1, 80, 10, 8]])
            try await serve(2, principal, nodes[2])
            for _ in 0..<5 { try await note() }
            #expect(try await noted(nodes[0]) == [[1, 80, 10, 8], [2, 100, 10, 10]])
            #expect(try await nodes[0].number("SELECT count(*) FROM event_delivery") == 4)
        }
    }

    @Test func `a node notes what its own requests have used, settled on its lease or folded`()
        async throws
    {
        try await PostgresUnderTest.run { node in
            let principal = try await node.principal(
                quotas: [(.key, .requests, .day, 4), (.team, .requests, .total, 4)],
                rateLimits: [])
            let ledger = try events(node)
            try await serve(4, principal, node)
            try await ledger.noteSettled()
            // Both accounts went past both thresholds at once.
            #expect(try await node.number("SELECT count(*) FROM quota_event") == 4)
            let claimed = try await ledger.claim(for: "ops", most: 10, lease: lease)
            let subjects = claimed.compactMap(\.event.reached).map(\.account.subject.kind.name)
            #expect(subjects.sorted() == ["key", "key", "team", "team"])
            let key = try #require(
                claimed.compactMap(\.event.reached).first { $0.account.subject.kind == .key })
            #expect(key.key == principal.key && key.subjectName == "key" && key.used == 4)
            #expect(claimed.allSatisfy { $0.event.organizationName == "default" })
        }
    }

    @Test func `a limit that was raised and is reached again is an event of its own`() async throws
    {
        try await PostgresUnderTest.run { node in
            let principal = try await node.principal(
                quotas: [(.key, .requests, .day, 5)], rateLimits: [])
            let ledger = try events(node, [])
            try await serve(5, principal, node)
            try await ledger.noteSettled()
            func limit(_ units: Int) async throws {
                try await node.execute("UPDATE account SET limit_units = \(units), cap = \(units)")
                try await ledger.review()
            }
            try await limit(20)
            #expect(try await noted(node) == [[1, 80, 5, 5], [2, 100, 5, 5]])
            try await limit(6)
            try await limit(5)
            try await limit(6)
            #expect(try await noted(node) == [[1, 80, 5, 5], [2, 100, 5, 5], [1, 80, 6, 5]])
            // Without webhooks nothing is to be sent.
            #expect(try await node.number("SELECT count(*) FROM event_delivery") == 0)
            try await node.execute("UPDATE account SET limit_units = 5, cap = 5")
        }
    }

    @Test func `what a node did not live to note is found by the review of any other`() async throws
    {
        try await NodesUnderTest.run(2) { nodes in
            let principal = try await nodes[0].principal(
                quotas: [(.key, .requests, .month, 2), (.key, .tokens, .total, 20)],
                rateLimits: [])
            try await serve(2, principal, nodes[0])
            // Its memory is gone.
            _ = nodes[0].node.takeSettledAccounts()
            let ledger = try events(nodes[1])
            try await ledger.noteSettled()
            #expect(try await noted(nodes[1]).isEmpty)
            try await ledger.review()
            #expect(try await nodes[1].number("SELECT count(*) FROM quota_event") == 4)
        }
    }

    @Test
    func `what was used a moment before midnight is noted after it, and older days are let be`()
        async throws
    {
        try await PostgresUnderTest.run { node in
            let principal = try await node.principal(
                quotas: [(.key, .requests, .day, 1)], rateLimits: [])
            try await serve(1, principal, node)
            _ = node.node.takeSettledAccounts()
            let ledger = try events(node)
            func move(_ days: Int) async throws {
                try await node.execute(
                    "UPDATE account SET period_start = (now() AT TIME ZONE 'UTC')::date - \(days)")
                try await ledger.review()
            }
            try await move(40)
            #expect(try await noted(node).isEmpty)
            try await move(1)
            #expect(try await noted(node).count == 2)
            try await move(0)
        }
    }

    @Test func `on a full disk nothing is noted and nothing is lost`() async throws {
        try await PostgresUnderTest.run { node in
            let principal = try await node.principal(
                quotas: [(.key, .requests, .day, 1)], rateLimits: [])
            let ledger = try events(node)
            try await serve(1, principal, node)
            try await node.execute(
                """
                CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN RAISE EXCEPTION ''could not extend file'' USING ERRCODE = ''53100''; END'
                """)
            try await node.execute(
                """
                CREATE TRIGGER full_disk BEFORE INSERT ON event_delivery
                EXECUTE FUNCTION is_full()
                """)
            await #expect(throws: PostgresError.self) { try await ledger.noteSettled() }
            #expect(try await noted(node).isEmpty)
            try await node.execute("DROP TRIGGER full_disk ON event_delivery")
            try await ledger.noteSettled()
            #expect(try await noted(node).count == 2)
            #expect(try await node.number("SELECT count(*) FROM event_delivery") == 2)
        }
    }

    @Test func `a webhook gets what it asked for`() async throws {
        try await PostgresUnderTest.run { node in
            let principal = try await node.principal(
                quotas: [(.key, .requests, .day, 1)], rateLimits: [])
            let ledger = try events(
                node,
                [
                    WebhookSubscription(name: "late", organization: nil, kinds: [.exhausted]),
                    WebhookSubscription(name: "acme", organization: "acme", kinds: [.exhausted]),
                    WebhookSubscription(name: "own", organization: "default", kinds: [.warning]),
                ])
            try await serve(1, principal, node)
            try await ledger.noteSettled()
            for (name, kinds) in [
                ("late", [QuotaEvent.Kind.exhausted]), ("acme", []), ("own", [.warning]),
            ] {
                let claimed = try await ledger.claim(for: name, most: 9, lease: lease)
                #expect(claimed.map(\.event.kind) == kinds)
            }
        }
    }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct EventDeliveryTests {
    private let fault = DeliveryFault(status: 500, reason: "it answered 500")

    /// Two nodes' views of one pending test event.
    private struct Pending: Sendable {
        let node: PostgresUnderTest
        let ledgers: [PostgresEventLedger]
        let id: EventID

        init(_ nodes: NodesUnderTest) throws {
            node = nodes[0]
            ledgers = try nodes.nodes.map { try events($0) }
            id = try Self.withStore(node) { store throws(LedgerError) in
                try store.test(["ops"], of: .default, named: "default", at: SystemTime().wall)
            }
        }

        /// What administrators see and do.
        private static func withStore<Value>(
            _ node: PostgresUnderTest, _ body: (EventStore) throws(LedgerError) -> Value
        ) throws -> Value {
            let connection = try node.database.connection()
            defer { connection.close() }
            let random = LedgerRandom { UInt64.random(in: 0 ... .max) }
            return try body(
                EventStore(
                    connection, recorder: ActionRecorder(author: .test, random: random)))
        }

        func delivery() throws -> EventStatus.Delivery {
            let found = try Self.withStore(node) { store throws(LedgerError) in
                try store.find(id, of: .default)
            }
            return try #require(found.first?.delivery)
        }

        func list(
            _ organization: OrganizationID, _ state: EventStatus.State?
        ) throws -> [EventID] {
            try Self.withStore(node) { store throws(LedgerError) in
                try store.list(organization, in: state, ListPage(after: nil, limit: 10))
            }.map(\.event.id)
        }

        func redeliver(
            _ id: EventID?, to webhook: String?, of organization: OrganizationID
        ) throws -> Int {
            try Self.withStore(node) { store throws(LedgerError) in
                try store.redeliver(
                    id, to: webhook, of: organization,
                    named: organization == .default ? "default" : "other")
            }
        }

        func claim(by ledger: Int) async throws -> [EventDelivery] {
            try await ledgers[ledger].claim(for: "ops", most: 8, lease: .seconds(60))
        }
    }

    @Test func `of nodes that claim at once one gets an event, until its claim runs out`()
        async throws
    {
        try await NodesUnderTest.run(2) { nodes in
            let pending = try Pending(nodes)
            let claims = try await withThrowingTaskGroup(of: [EventDelivery].self) { group in
                for turn in 0..<8 { group.addTask { try await pending.claim(by: turn % 2) } }
                var all: [EventDelivery] = []
                for try await some in group { all += some }
                return all
            }
            #expect(claims.map(\.attempt) == [1] && claims[0].event.id == pending.id)
            // Who read it before that claim and comes later gets nothing, neither now nor when the
            // claim has run out.
            let stale = EventDelivery(event: claims[0].event, webhook: "ops", attempt: 0)
            func claimStale() async throws -> Int {
                try await pending.node.run { connection throws(PostgresError) in
                    let claim = DeliveryStatements.claim(stale, for: .seconds(60))
                    return try connection.execute(claim).rows.count
                }
            }
            #expect(try await claimStale() == 0)
            // Who had it died.
            try await pending.node.execute("UPDATE event_delivery SET due_at = now()")
            #expect(try await claimStale() == 0)
            let second = try await pending.claim(by: 1)
            #expect(second.map(\.attempt) == [2])
            // A failure that comes late changes nothing for who has it now.
            try await pending.ledgers[0].note(.dead(fault), of: claims[0])
            #expect(try pending.delivery().state == .pending)
            // That it was delivered is true whoever says so.
            try await pending.ledgers[0].note(.delivered(status: 204), of: claims[0])
            let end = try pending.delivery()
            #expect(end.state == .delivered && end.status == 204 && end.endedAt != nil)
            try await pending.ledgers[1].note(.dead(fault), of: second[0])
            #expect(try pending.delivery().state == .delivered)
        }
    }

    @Test func `a failed try comes back when its wait is over, a dead one when it is asked for`()
        async throws
    {
        try await NodesUnderTest.run(2) { nodes in
            let pending = try Pending(nodes)
            let first = try #require(try await pending.claim(by: 0).first)
            try await pending.ledgers[0].note(.retry(after: .seconds(3600), fault), of: first)
            #expect(try await pending.claim(by: 0).isEmpty)
            let waiting = try pending.delivery()
            #expect(waiting.state == .pending && waiting.fault == fault.reason)
            try await pending.node.execute(
                "UPDATE event_delivery SET due_at = due_at - interval '1 hour'")
            let second = try #require(try await pending.claim(by: 1).first)
            #expect(second.attempt == 2)
            try await pending.ledgers[1].note(.dead(fault), of: second)
            #expect(try await pending.claim(by: 0).isEmpty)
            #expect(try pending.list(.default, .dead) == [pending.id])
            // What belongs to another organization of the shard is not there.
            let other = OrganizationID(rawValue: 77)
            #expect(try pending.list(other, nil).isEmpty)
            #expect(try pending.redeliver(nil, to: nil, of: other) == 0)
            #expect(try pending.redeliver(nil, to: "none", of: .default) == 0)
            #expect(try pending.redeliver(nil, to: "ops", of: .default) == 1)
            #expect(try pending.redeliver(nil, to: nil, of: .default) == 0)
            let third = try #require(try await pending.claim(by: 0).first)
            #expect(third.attempt == 1 && third.event.id == pending.id)
            try await pending.ledgers[0].note(.delivered(status: 200), of: third)
            #expect(try pending.redeliver(pending.id, to: nil, of: .default) == 1)
            #expect(try await pending.claim(by: 0).count == 1)
        }
    }

    @Test func `sending again and tests are on record`() async throws {
        try await NodesUnderTest.run(1) { nodes in
            let pending = try Pending(nodes)
            let first = try #require(try await pending.claim(by: 0).first)
            try await pending.ledgers[0].note(.dead(fault), of: first)
            // What sends nothing is no action.
            #expect(try pending.redeliver(nil, to: "none", of: .default) == 0)
            #expect(try pending.redeliver(nil, to: nil, of: .default) == 1)
            #expect(try pending.redeliver(pending.id, to: "ops", of: .default) == 1)
            func count(_ condition: String) async throws -> Int64? {
                try await pending.node.number(
                    "SELECT count(*) FROM admin_action WHERE \(condition)")
            }
            #expect(
                try await count(
                    "action = 'event.test' AND subject_name = '\(pending.id)' "
                        + "AND organization_name = 'default'") == 1)
            #expect(
                try await count("action = 'event.redeliver' AND subject_name = 'dead'") == 1)
            #expect(
                try await count(
                    "action = 'event.redeliver' AND subject_name = '\(pending.id)' "
                        + "AND after::text LIKE '%ops%'") == 1)
            #expect(try await count("action LIKE 'event.%'") == 3)
        }
    }
}
