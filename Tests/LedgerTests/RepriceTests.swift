import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// The books of a week at two nano-dollars a token, and what becomes of them at other prices.
@Suite struct `Records that are priced anew` {
    /// The books with their model named as gateways name it, its price registered, and another one.
    private struct Fixture {
        let books: AuditBooks
        let old: Int64
        let new: Price

        init(prompt: Int64, completion: Int64, cached: Int64 = 1) throws {
            books = try AuditBooks()
            let model = NameNumber.of("tiny")
            new = Price(
                alias: "tiny", prompt: NanoUSD(rawValue: prompt),
                cached: NanoUSD(rawValue: cached), cacheWrite: NanoUSD(rawValue: prompt),
                completion: NanoUSD(rawValue: completion))
            let before = Price(
                alias: "tiny", prompt: NanoUSD(rawValue: 2_000_000),
                cached: NanoUSD(rawValue: 2_000_000), cacheWrite: NanoUSD(rawValue: 2_000_000),
                completion: NanoUSD(rawValue: 2_000_000))
            old = before.version
            try books.run(
                """
                UPDATE model SET model_id = \(model); UPDATE usage SET model_id = \(model);
                UPDATE usage_hour SET model_id = \(model); UPDATE price SET model_id = \(model);
                UPDATE usage SET price_version = \(before.version);
                UPDATE reservation SET model_id = \(model);
                """)
            _ = try books.store.prices.register(file: ["tiny": [.usual: before]])
            try books.store.prices.set([.usual: new], of: "tiny")
            #expect(try books.audit(.complete).differences == [])
        }

        func order(daysAgo: Int32 = 30) throws -> RepriceOrder {
            RepriceOrder(
                model: "tiny", since: try books.midnight(daysAgo: daysAgo),
                until: try books.midnight(daysAgo: -1), version: new.version, replacing: [])
        }

        func total() throws -> Int128 {
            let rows = try books.store.reports.usage(
                UsageQuery(
                    organization: .default, team: nil, key: nil,
                    since: Timestamp(microseconds: 0), until: nil, grouping: .model))
            return rows.reduce(0) { $0 + $1.sums.costNanoUSD }
        }

        func used() throws -> Int64 {
            try books.number(
                """
                SELECT a.used + coalesce((SELECT sum(l.settled)::int8 FROM lease l
                    WHERE l.account_id = a.account_id), 0) FROM account a WHERE a.account_id = 3
                """) ?? -1
        }

        /// What the corrected records cost by the new price, worked out by the program.
        func expected() throws -> [(RequestID, Int64)] {
            let sql = """
                SELECT u.request_id, u.prompt_tokens, u.cached_tokens, u.completion_tokens,
                    u.overage FROM usage u WHERE u.basis NOT IN (4, 5) ORDER BY u.request_id
                """
            return try books.store.connection.execute(
                PostgresCommand(PostgresStatement(name: nil, sql: sql), [])
            ).rows.map { row in
                let usage = TokenUsage(
                    prompt: try row.int8(1), cached: try row.int8(2),
                    completion: try row.int8(3) - row.int8(4))
                return (RequestID(rawValue: try row.uuid(0)), new.cost(of: usage).rawValue)
            }
        }
    }

    /// From the rollup, from the records by how they ended, and from each record by itself.
    @Test func `every report of the past costs what was corrected`() throws {
        let fixture = try Fixture(prompt: 3_333_333, completion: 7_777_777)
        let (store, order) = (fixture.books.store, try fixture.order())
        let before = try fixture.total()
        let outcome = try store.repricing.apply(order)
        #expect(outcome.difference != 0)
        let total = before + outcome.difference
        #expect(try fixture.total() == total)
        let byEnd = try store.reports.usage(
            UsageQuery(
                organization: .default, team: nil, key: nil, since: order.since, until: nil,
                grouping: .endState))
        #expect(byEnd.reduce(0) { $0 + $1.sums.costNanoUSD } == total)
        var exported: [ExportRecord] = []
        let query = ExportQuery(
            organization: .default, team: nil, key: nil, since: order.since, until: order.until)
        var position: ExportPosition? = query.start
        while let from = position {
            let page = try store.reports.export(query, from: from)
            exported += page.records
            position = page.next
        }
        #expect(exported.reduce(0) { $0 + Int128($1.cost.rawValue) } == total)
        #expect(Set(exported.compactMap(\.priceVersion)).contains(fixture.new.version))
        var charged: Int128 = 0
        try store.charges.read(
            ChargeQuery(
                organization: .default, subject: Subject(kind: .organization, id: 1),
                resource: .cost, since: order.since, until: order.until)
        ) { charge, _ in charged += Int128(charge) }
        #expect(charged == total)
    }

    @Test(arguments: [(3_333_333 as Int64, 7_777_777 as Int64), (1, 1), (0, 0), (2_000_000, 2)])
    func `a preview tells what applying does, and the books add up`(
        prompt: Int64, completion: Int64
    ) throws {
        let fixture = try Fixture(prompt: prompt, completion: completion)
        // Some tokens were cached, some beyond the bound, some records have no price at all.
        try fixture.books.run(
            """
            UPDATE usage SET cached_tokens = prompt_tokens / 2 WHERE basis = 1;
            UPDATE usage_hour h SET cached_tokens = (SELECT coalesce(sum(u.cached_tokens), 0)
                FROM usage u WHERE date_trunc('hour', u.admitted_at, 'UTC') = h.hour);
            UPDATE usage SET price_version = NULL WHERE basis = 2;
            """)
        let order = try fixture.order()
        let before = (try fixture.total(), try fixture.used())
        let preview = try fixture.books.store.repricing.preview(order)
        #expect(try fixture.total() == before.0)
        #expect(Set(preview.lines.map(\.was)) == [nil, fixture.old])
        let expected = try fixture.expected()
        #expect(preview.records == Int64(expected.count))
        let outcome = try fixture.books.store.repricing.apply(order)
        #expect(outcome.records == preview.records && outcome.difference == preview.difference)
        #expect(try fixture.total() == before.0 + preview.difference)
        for (id, cost) in expected {
            let now = try fixture.books.number(
                """
                SELECT u.cost_nanousd + (SELECT sum(c.delta_nanousd)::int8 FROM price_correction c
                    WHERE c.request_id = u.request_id) FROM usage u WHERE u.request_id = '\(id)'
                """)
            #expect(now == cost)
        }
        // The account in cost runs in total, and so holds every record.
        #expect(Int128(try fixture.used()) == Int128(before.1) + outcome.applied)
        #expect(outcome.applied + outcome.waiting == outcome.difference)
        #expect(try fixture.books.audit(.complete).differences == [])
        // Twice is once.
        let again = try fixture.books.store.repricing.apply(order)
        #expect(again.records == 0 && again.difference == 0)
        #expect(try fixture.total() == before.0 + preview.difference)
        #expect(try fixture.books.audit(.complete).differences == [])
    }

    @Test func `stopped before any of its statements and run again it is applied once`() throws {
        var steps = 1
        var stop = 0
        while stop < steps {
            let fixture = try Fixture(prompt: 3_000_001, completion: 5_000_001)
            let order = try fixture.order()
            let preview = try fixture.books.store.repricing.preview(order)
            let before = (try fixture.total(), try fixture.used())
            var step = 0
            let store = RepriceStore(
                fixture.books.store.connection, fixture.books.store.recorder, batch: 3
            ) {
                () throws(LedgerError) in
                defer { step += 1 }
                if step == stop { throw .invalid("stopped") }
            }
            #expect(throws: LedgerError.self) { try store.apply(order) }
            // Whole statements only: the books add up in the middle too.
            #expect(try fixture.books.audit(.complete).differences == [])
            step = .min
            let outcome = try store.apply(order)
            // Those of a run that finds all of its work to do; later ones find less.
            steps = max(steps, step - .min)
            #expect(steps > 9)
            #expect(try fixture.total() == before.0 + preview.difference)
            #expect(
                Int128(try fixture.used()) - Int128(before.1) + outcome.waiting
                    == preview.difference)
            #expect(try fixture.books.audit(.complete).differences == [])
            // The whole of it without a stop counts the steps; each of these runs its own books.
            stop += max(1, steps / 6)
        }
    }

    @Test func `a repricing is on record, and one that was stopped has no end there`() throws {
        let fixture = try Fixture(prompt: 3_000_001, completion: 5_000_001)
        let order = try fixture.order()
        let books = fixture.books.store
        var query = ActionQuery(organization: nil, limit: 10)
        query.action = .priceReprice
        var steps = 0
        let store = RepriceStore(books.connection, books.recorder, batch: 3) {
            () throws(LedgerError) in
            steps += 1
            if steps == 3 { throw .invalid("stopped") }
        }
        #expect(throws: LedgerError.self) { try store.apply(order) }
        #expect(try books.actions.list(query).map { $0.after?["stage"] } == [.text("begun")])
        let outcome = try books.repricing.apply(order)
        let actions = try books.actions.list(query)
        #expect(
            actions.map { $0.after?["stage"] } == [
                .text("finished"), .text("begun"), .text("begun"),
            ])
        #expect(actions[0].after?["records"] == .number(outcome.records) && outcome.records > 0)
        #expect(actions[0].subject.name == "tiny" && actions[0].author == .test)
        #expect(actions[0].before == actions[1].after)
    }

    @Test func `what an account gets back beyond what is folded waits for the leases`() throws {
        let fixture = try Fixture(prompt: 0, completion: 0, cached: 0)
        let order = try fixture.order()
        // Nothing is folded yet but a little: the rest stands in leases.
        let folded = try #require(
            try fixture.books.number("SELECT used FROM account WHERE account_id = 3"))
        try fixture.books.run(
            """
            UPDATE account SET used = used - \(folded - 7) WHERE account_id = 3;
            UPDATE lease SET granted = granted + \(folded - 7), settled = settled + \(folded - 7)
            WHERE account_id = 3;
            """)
        let outcome = try fixture.books.store.repricing.apply(order)
        #expect(outcome.applied == -7 && outcome.waitingAccounts == 1)
        #expect(outcome.waiting == outcome.difference + 7)
        let report = try fixture.books.audit(.complete)
        #expect(report.differences == [])
        #expect(report.findings.contains { $0.rule.contains("owed") && $0.weight == .warning })
        // Folded, as nodes do each minute.
        try fixture.books.run(
            """
            UPDATE account SET used = used + l.settled FROM lease l
            WHERE l.account_id = account.account_id AND account.account_id = 3;
            UPDATE lease SET granted = granted - settled, settled = 0 WHERE account_id = 3;
            """)
        let rest = try fixture.books.store.repricing.apply(order)
        #expect(rest.records == 0 && rest.applied == outcome.waiting && rest.waiting == 0)
        #expect(try fixture.books.audit(.complete).differences == [])
    }

    @Test func `an account that is charged beyond its limit grants nothing more`() throws {
        let fixture = try Fixture(prompt: 2_000_000_000, completion: 2_000_000_000)
        try fixture.books.run(
            "UPDATE account SET limit_units = granted, cap = granted WHERE account_id = 3;")
        let outcome = try fixture.books.store.repricing.apply(try fixture.order())
        #expect(outcome.applied == outcome.difference && outcome.applied > 0)
        #expect(
            try fixture.books.number(
                "SELECT count(*) FROM account WHERE account_id = 3 AND cap = granted"
                    + " AND used > limit_units AND recall_gen = 1") == 1)
        #expect(try fixture.books.audit(.complete).differences == [])
    }

    @Test func `swept requests and other terms are left alone and told`() throws {
        let fixture = try Fixture(prompt: 9, completion: 9)
        let flex = Price(
            alias: "tiny", prompt: NanoUSD(rawValue: 5), cached: NanoUSD(rawValue: 5),
            cacheWrite: NanoUSD(rawValue: 5), completion: NanoUSD(rawValue: 5))
        try fixture.books.store.prices.set([.tier(.flex): flex], of: "tiny")
        try fixture.books.run("UPDATE usage SET price_version = \(flex.version) WHERE basis = 2;")
        var order = try fixture.order()
        let lines = try fixture.books.store.repricing.preview(order).lines
        #expect(Set(lines.map(\.fate)) == [.repriced, .swept, .otherTerms])
        let outcome = try fixture.books.store.repricing.apply(order)
        #expect(outcome.records == lines.first { $0.fate == .repriced }?.records)
        // Named, they are replaced too.
        order.replacing = [flex.version]
        let named = try fixture.books.store.repricing.apply(order)
        #expect(named.records == lines.first { $0.fate == .otherTerms }?.records)
        #expect(try fixture.books.audit(.complete).differences == [])
    }

    @Test func `only requests of the time asked for are priced anew`() throws {
        let fixture = try Fixture(prompt: 9, completion: 9)
        let order = try fixture.order(daysAgo: 1)
        let outcome = try fixture.books.store.repricing.apply(order)
        #expect(
            outcome.records
                == (try fixture.books.number(
                    """
                    SELECT count(*) FROM usage WHERE basis NOT IN (4, 5)
                        AND day >= (now() AT TIME ZONE 'UTC')::date - 1
                    """)))
        #expect(throws: LedgerError.self) {
            var unknown = order
            unknown.version = 12345
            _ = try fixture.books.store.repricing.apply(unknown)
        }
    }

    @Test func `a statement, a story and retention know of it`() throws {
        let fixture = try Fixture(prompt: 3_000_000, completion: 4_000_000)
        let id = try fixture.books.request(daysAgo: 4, 1)
        let order = try fixture.order()
        _ = try fixture.books.store.repricing.apply(order)
        guard
            case .story(let story) = try fixture.books.store.stories.explain(
                id, organization: .default), case .settled(let outcome) = story.state
        else {
            Issue.record("no story")
            return
        }
        #expect(story.priceCorrections.map(\.version) == [fixture.new.version])
        #expect(
            outcome.cost.rawValue + story.priceCorrections[0].difference.rawValue
                == fixture.new.cost(of: outcome.usage).rawValue)
        // An instant before the corrections tells what was known then.
        try fixture.books.run(
            """
            UPDATE price_correction SET at = at - interval '2 hours';
            UPDATE repriced_account_adj SET at = at - interval '2 hours';
            """)
        let now = try #require(
            try fixture.books.number("SELECT (extract(epoch FROM now()) * 1000000)::int8"))
        func statement(minutesAgo: Int64) throws -> Statement {
            try fixture.books.store.statements.statement(
                StatementQuery(
                    organization: .default,
                    subject: Subject(kind: .organization, id: 1),
                    at: Timestamp(microseconds: now - minutesAgo * 60_000_000),
                    since: try fixture.books.midnight(daysAgo: 10)))
        }
        let difference =
            try statement(minutesAgo: 60).usage.costNanoUSD
            - statement(minutesAgo: 180).usage.costNanoUSD
        let corrected =
            try fixture.books.number(
                "SELECT sum(delta_nanousd)::int8 FROM price_correction") ?? 0
        let line = try #require(
            try statement(minutesAgo: 60).lines.first { $0.account.resource == .cost })
        #expect(line.corrected == Int128(corrected))
        // Requests of the last hours are not in both.
        #expect(difference >= Int128(corrected))
        #expect(try fixture.books.audit(.incremental).differences == [])
        #expect(try !fixture.books.store.retention.drop(keeping: 3).dropped.isEmpty)
        #expect(try fixture.books.audit(.complete).differences == [])
        #expect(try fixture.books.store.repricing.preview(order).droppedDays == 3)
    }

    @Test(arguments: [
        ("UPDATE price_correction SET delta_nanousd = delta_nanousd + 1", "by their version"),
        ("DELETE FROM price_correction WHERE number = 1", "the rollup"),
        ("UPDATE usage_hour SET cost_nanousd = cost_nanousd + 1 WHERE node_id = 0", "the rollup"),
        ("UPDATE repriced_account_adj SET delta_nanousd = delta_nanousd + 1", "applied"),
        ("UPDATE account SET used = used - 1, granted = granted - 1 WHERE account_id = 3", "used"),
        ("UPDATE price_correction SET number = 2", "no gap"),
        ("DELETE FROM price WHERE price_version <> 5", "is known"),
    ])
    func `an audit finds what was tampered with`(damage: String, rule: String) throws {
        let fixture = try Fixture(prompt: 3_000_000, completion: 4_000_000)
        _ = try fixture.books.store.repricing.apply(try fixture.order())
        #expect(try fixture.books.audit(.complete).differences == [])
        try fixture.books.run(damage + ";")
        let found = try fixture.books.audit(.complete).differences
        #expect(found.contains { $0.rule.contains(rule) }, "\(found.map(\.rule))")
    }
}
