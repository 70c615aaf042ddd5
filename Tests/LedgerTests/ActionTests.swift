import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite struct `The record of actions` {
    private static let ann = ActionAuthor(way: .command, name: "ann@desk")

    /// The actions of an organization, the newest first; of all without one.
    private func actions(
        _ fixture: DirectoryFixture, _ organization: Organization? = nil
    ) throws -> [ActionRecord] {
        try fixture.store.actions.list(ActionQuery(organization: organization?.id, limit: 1000))
    }

    private func audit(_ fixture: DirectoryFixture) throws -> [AuditFinding] {
        try fixture.store.auditor.audit(nil, depth: .complete).findings
    }

    @Test func `a state comes back from the database as it was written`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        let state = ActionState([
            ("name", .text("quote \" back \\ tab \t bell \u{7} ünï 🦊 \u{2028}")),
            ("limit", .number(.max)), ("least", .number(.min)), ("clamps", .flag(true)),
            ("models", .names(["tiny", "a,b", "]\"}"])), ("none", .names([])), ("gone", nil),
        ])
        #expect(state.facts.count == 6)
        for type in ["json", "jsonb"] {
            let row = try fixture.store.connection.execute(
                PostgresCommand(
                    PostgresStatement(name: nil, sql: "SELECT $1::text::\(type)::text"),
                    [.text(state.json)])
            ).rows[0]
            let read = try ActionStateReader.read(try row.text(0))
            // The binary type has an order of its own.
            #expect(Set(read.facts) == Set(state.facts))
            if type == "json" { #expect(read == state) }
        }
        #expect(try ActionStateReader.read("{ }") == ActionState([]))
        for text in [
            "", "[]", "{\"a\":{}}", "{\"a\":1.5}", "{\"a\":1}x", "{\"a\" 1}", "{\"a\":\"b",
        ] {
            #expect(throws: PostgresError.self, "\(text)") { try ActionStateReader.read(text) }
        }
    }

    @Test func `a change tells who made it, of what, and what was before and after`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        let store = fixture.store.acting(as: Self.ann)
        try store.teams.rename(fixture.team, to: "science")
        let action = try #require(try actions(fixture).first)
        #expect(action.author == Self.ann && action.action == "team.rename")
        #expect(
            action.subject
                == ActionSubject(kind: .team, id: fixture.team.id.rawValue, name: "science"))
        #expect(action.organization == "default")
        #expect(action.before?["name"] == .text("research"))
        #expect(action.after?["name"] == .text("science"))
        #expect(try store.actions.find(action.id, organization: nil) == action)
        #expect(try store.actions.find(action.id, organization: .default) == action)
    }

    @Test func `what changes nothing is no action, and no gateway is told`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        let key = try fixture.mint().record
        let quota = AllowanceChange.setQuota(.tokens, .day, limit: 5)
        func all() throws {
            try fixture.store.teams.suspend(fixture.team, reason: "unpaid")
            _ = try fixture.store.keys.revoke(key.id, reason: "leaked")
            _ = try fixture.store.apply(
                [quota, .clearRateLimit(.requestsPerMinute)], subject: key.subject,
                organization: fixture.organization)
        }
        try all()
        let (known, revision) = (try actions(fixture), try fixture.revision())
        try all()
        #expect(try fixture.store.keys.finishRotation(key.id) == [])
        #expect(try fixture.store.organizations.resume(.default) != nil)
        #expect(try actions(fixture) == known)
        #expect(try fixture.revision() == revision)
    }

    @Test func `a change whose action cannot be written does not happen`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        let key = try fixture.mint().record
        let (known, revision) = (try actions(fixture), try fixture.revision())
        try fixture.store.connection.execute(
            script: "ALTER TABLE admin_action ADD CHECK (author_name <> 'ann@desk') NOT VALID")
        let store = fixture.store.acting(as: Self.ann)
        #expect(throws: LedgerError.self) { try store.teams.rename(fixture.team, to: "x") }
        #expect(throws: LedgerError.self) { try store.keys.revoke(key.id) }
        #expect(throws: LedgerError.self) { try store.organizations.create(name: "acme") }
        #expect(throws: LedgerError.self) {
            try store.apply(
                [.setQuota(.tokens, .day, limit: 5)], subject: key.subject,
                organization: fixture.organization)
        }
        #expect(try store.keys.find(key.id)?.revokedAt == nil)
        #expect(
            try store.teams.find(name: "research", organization: fixture.organization) != nil)
        #expect(try store.organizations.find(name: "acme") == nil)
        #expect(try store.quotas.list(key.subject, organization: fixture.organization) == [])
        #expect(try actions(fixture) == known && fixture.revision() == revision)
        // The name that was reserved is free for whoever asks next.
        #expect(try fixture.store.organizations.create(name: "acme").name == "acme")
    }

    @Test func `of many who do the same at once one did it, under either isolation`() async throws {
        for isolation in ["read committed", "serializable"] {
            let fixture = try DirectoryFixture()
            defer { withExtendedLifetime(fixture) {} }
            try fixture.store.connection.execute(
                script: """
                    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation
                        = ''\(isolation)''', current_database()); END $$
                    """)
            let (url, team) = (fixture.database.url, fixture.team)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        let store = try DirectoryStore(
                            url: url, random: DirectoryFixture.random,
                            author: ActionAuthor(way: .command, name: "admin\(number)@desk"))
                        try store.teams.suspend(team, reason: nil)
                        try store.teams.rename(team, to: "name\(number)")
                    }
                }
                try await group.waitForAll()
            }
            let known = try actions(fixture)
            #expect(known.filter { $0.action == "team.suspend" }.count == 1)
            let renames = known.filter { $0.action == "team.rename" }
            #expect(renames.count == 6)
            // Each found what the one before it left.
            let names = Set(renames.map { $0.after?["name"] })
            #expect(
                names.union([.text("research")]).isSuperset(of: renames.map { $0.before?["name"] }))
            #expect(try audit(fixture) == [])
        }
    }

    @Test func `a key's record tells nothing of its secret`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        var tokens: [[UInt8]] = []
        let (record, token) = try fixture.mint()
        tokens.append(token)
        let rotation = try fixture.store.keys.rotate(
            record.id, grace: .seconds(60), pepper: fixture.pepper)
        rotation.secret.withBytes { tokens.append(Array($0)) }
        _ = try fixture.store.keys.finishRotation(record.id)
        _ = try fixture.store.keys.revoke(rotation.new.id)
        let text = try fixture.rows(
            "SELECT string_agg(a::text, ' ') FROM admin_action a WHERE action LIKE 'key.%'")[0]
            .text(0)
        #expect(text.contains(rotation.new.id.description))
        for token in tokens {
            let whole = String(decoding: token, as: UTF8.self)
            let secret = whole.split(separator: "_")[2]
            #expect(!text.contains(secret.prefix(12)) && !text.contains(secret.suffix(12)))
        }
        let macs = try fixture.rows("SELECT encode(mac, 'hex'), encode(mac, 'base64') FROM api_key")
        #expect(macs.count == 2)
        for row in macs {
            #expect(!text.contains(try row.text(0).prefix(16)))
            #expect(!text.contains(try row.text(1).prefix(16)))
        }
    }

    @Test func `an organization sees its own actions and no other's`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        // Two that share a shard, so that nothing but the organization tells them apart.
        let acme = try fixture.store.organizations.create(name: "acme")
        var rival = try fixture.store.organizations.create(name: "rival")
        while rival.id.shard != acme.id.shard {
            try fixture.store.organizations.delete(rival.id, contents: false)
            rival = try fixture.store.organizations.create(name: "rival")
        }
        let team = try fixture.store.teams.create(name: "research", organization: acme)
        let key = try fixture.mint("secret plan", team: team).record
        let theirs = try actions(fixture, acme)
        #expect(theirs.map(\.action) == ["key.create", "team.create", "organization.create"])
        #expect(try actions(fixture, rival).map(\.action) == ["organization.create"])
        for action in theirs {
            #expect(try fixture.store.actions.find(action.id, organization: rival.id) == nil)
        }
        var query = ActionQuery(organization: rival.id, limit: 10)
        query.key = key.id
        #expect(try fixture.store.actions.list(query) == [])
        query.key = nil
        query.team = "research"
        #expect(try fixture.store.actions.list(query) == [])
        query.organization = acme.id
        #expect(try fixture.store.actions.list(query).count == 2)
    }

    @Test func `actions are found by team, key, author, kind and time, page by page`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        let key = try fixture.mint().record
        let new = try fixture.store.keys.rotate(
            key.id, grace: .seconds(60), pepper: fixture.pepper
        ).new.id
        _ = try fixture.store.acting(as: Self.ann).keys.rename(new, to: "deploy")
        _ = try fixture.store.apply(
            [.setRateLimit(.requestsPerMinute, limit: 5)], subject: key.subject,
            organization: fixture.organization)
        try fixture.store.teams.delete(fixture.team, contents: true)
        var query = ActionQuery(organization: .default, limit: 100)
        query.key = key.id
        let kinds = ["rate_limit.set", "key.rename", "key.rotate", "key.create"]
        #expect(try fixture.store.actions.list(query).map(\.action) == kinds)
        query.key = new
        #expect(try fixture.store.actions.list(query).map(\.action) == kinds)
        query.author = "ann@"
        #expect(try fixture.store.actions.list(query).map(\.action) == ["key.rename"])
        query = ActionQuery(organization: .default, limit: 2)
        query.team = "research"
        var (seen, pages): ([ActionRecord], Int) = ([], 0)
        while true {
            let page = try fixture.store.actions.list(query)
            guard let last = page.last else { break }
            seen += page
            pages += 1
            query.before = last
        }
        #expect(seen.map(\.action) == ["team.delete"] + kinds + ["team.create"] && pages == 3)
        #expect(seen.first?.before?["keys"] == .names([key.id.description, new.description]))
        query = ActionQuery(organization: nil, limit: 100)
        query.action = .keyRotate
        #expect(try fixture.store.actions.list(query).count == 1)
        query.since = try fixture.store.time() + .seconds(1)
        #expect(try fixture.store.actions.list(query) == [])
    }

    @Test func `the audit misses an action that was removed, and a change that has none`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        _ = try fixture.mint()
        #expect(try audit(fixture) == [])
        let revision = try fixture.revision()
        try fixture.store.connection.execute(
            script: "DELETE FROM admin_action WHERE action = 'team.create'")
        #expect(try audit(fixture).map(\.row) == ["revision=\(revision - 1)"])
        try fixture.store.connection.execute(
            script: "UPDATE directory_revision SET revision = revision + 1 WHERE shard = 229")
        let findings = try audit(fixture)
        #expect(findings.map(\.row) == ["revision=\(revision - 1)", "revision=\(revision + 1)"])
        #expect(findings.allSatisfy { $0.weight == .warning && $0.table == "directory_revision" })
    }

    @Test func `who owns the record may add to it and read it, and no more`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        let rights = try fixture.rows(
            """
            SELECT DISTINCT x.privilege_type FROM pg_class c, aclexplode(c.relacl) x
            WHERE c.relname = 'admin_action' ORDER BY 1
            """
        ).map { try $0.text(0) }
        #expect(rights.contains("INSERT") && rights.contains("SELECT"))
        #expect(Set(rights).isDisjoint(with: ["UPDATE", "DELETE", "TRUNCATE"]))
    }

    @Test func `a file's prices are the gateway's, an administrator's his own`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        func price(_ amount: Int64) -> Price {
            let amount = NanoUSD(rawValue: amount)
            return Price(
                alias: "tiny", prompt: amount, cached: amount, cacheWrite: amount,
                completion: amount)
        }
        let gateway = ActionAuthor(way: .gateway, name: "gateway a")
        _ = try fixture.store.acting(as: gateway).prices.register(
            file: ["tiny": [.usual: price(1_000_000_000)]])
        let store = fixture.store.acting(as: Self.ann).prices
        try store.set([.usual: price(2_500_000_000)], of: "tiny")
        try store.set([.usual: Price?.none], of: "tiny")
        var found = try actions(fixture).filter { $0.subject.kind == .model }
        #expect(found.map(\.author) == [Self.ann, Self.ann, gateway])
        #expect(found.map(\.action) == ["price.clear", "price.set", "price.set"])
        #expect(
            found.map { $0.before?["prompt_usd_per_mtok"] } == [.text("2.50"), .text("1.00"), nil])
        #expect(
            found.map { $0.after?["prompt_usd_per_mtok"] } == [nil, .text("2.50"), .text("1.00")])
        // What is of no organization, no organization sees.
        found = try actions(fixture, fixture.organization)
        #expect(found.allSatisfy { $0.subject.kind != .model } && !found.isEmpty)
        #expect(try audit(fixture) == [])
    }
}
