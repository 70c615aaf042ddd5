import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// The directory's lists, a page at a time: what a page costs, and what a walk of pages finds while
/// others create and delete.
@Suite struct `Pages of the directory` {
    private static let many: Int64 = 5000

    /// Adds keys to an organization in one statement, in an order that has nothing to do with their
    /// ids.
    private static func crowd(
        _ books: UsageBooks, _ organization: OrganizationID, team: Int64, salt: UInt64
    ) throws {
        let shard = organization.shard
        let first = KeyID(shard: shard, random: salt).databaseValue
        try books.store.connection.execute(
            script: """
                INSERT INTO api_key (shard, key_id, organization_id, team_id, subject_id, name,
                    prefix, mac, pepper_id, last4)
                SELECT \(shard.rawValue),
                    \(first) + g * 11400714819323 % 36028797018963968,
                    \(organization.rawValue), \(team), \(salt) * 100000 + g, 'key ' || g,
                    'sk-test', decode(repeat('ab', 32), 'hex'), 1, 'abcd'
                FROM generate_series(1, \(many)) g;
                """)
    }

    /// The default organization with 5,000 keys, and another of its shard with as many.
    private static func books() throws -> (UsageBooks, Organization) {
        let books = try UsageBooks()
        try crowd(books, .default, team: 11, salt: 7)
        try crowd(books, UsageBooks.neighbour, team: 13, salt: 9)
        return (books, try books.organization())
    }

    /// What a command reads: rows of tables and indexes, those passed over too; and the rows that
    /// are sorted.
    private static func cost(
        _ command: PostgresCommand, _ books: UsageBooks, asPage: Bool = true
    ) throws -> (read: Double, sorted: Double, plan: String) {
        let explained = PostgresCommand(
            PostgresStatement(
                name: nil, sql: "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + command.statement.sql),
            command.parameters)
        let rows =
            asPage
            ? try PageStatements.rows(explained, books.store.connection)
            : try books.store.connection.execute(explained).rows
        let lines = try rows.map { try $0.text(0) }
        var (read, sorted, loops, isScan) = (0.0, 0.0, 1.0, false)
        for line in lines {
            if let found = line.firstMatch(of: #/actual rows=([0-9.]+) loops=([0-9]+)/#) {
                loops = Double(found.2) ?? 0
                let rows = (Double(found.1) ?? 0) * loops
                isScan = line.contains(" Scan") && !line.contains("CTE Scan")
                read += isScan ? rows : 0
                sorted += line.contains("Sort") ? rows : 0
            } else if isScan, let found = line.firstMatch(of: #/Rows Removed by .*: ([0-9]+)/#) {
                read += (Double(found.1) ?? 0) * loops
            }
        }
        return (read, sorted, lines.joined(separator: "\n"))
    }

    @Test func `a page of 5,000 keys reads its own rows, whatever the planner knows`() throws {
        let (books, _) = try Self.books()
        let selection = KeySelection(life: .lasting, pepper: nil)
        for isKnown in [false, true] {
            if isKnown {
                try books.store.connection.execute(
                    script: "ANALYZE api_key, team, organization")
            }
            var after: KeyID?
            for _ in 0..<3 {
                let page = ListPage(after: after, limit: 51)
                let cost = try Self.cost(
                    KeyStatements.page(of: .default, team: nil, selection, page), books)
                // For each of the page's keys: itself twice, its team, its organization and its use;
                // and between them those of the neighbour, which has as many.
                #expect(cost.read > 51 && cost.read < 51 * 8, "\(isKnown): \(cost.plan)")
                #expect(cost.sorted <= 51, "\(isKnown): \(cost.plan)")
                after = try books.store.keys.page(
                    organization: try books.organization(), team: nil, selection, page
                ).last?.id
            }
        }
        let whole = PostgresCommand(
            KeyStatements.list,
            [.int2(OrganizationID.default.shard.rawValue), .int8(1), .null])
        #expect(try Self.cost(whole, books, asPage: false).read > Double(Self.many))
    }

    @Test func `a walk gives each key once, while keys are made and deleted`() throws {
        let (books, organization) = try Self.books()
        let store = books.store
        let selection = KeySelection(life: .lasting, pepper: nil)
        var stays = Set(try store.keys.list(organization: organization, team: nil).map(\.id))
        let count = stays.count
        let team = try #require(
            try store.teams.find(name: "research", organization: organization))
        var (seen, after): ([KeyID], KeyID?) = ([], nil)
        while true {
            let page = try store.keys.page(
                organization: organization, team: nil, selection,
                ListPage(after: after, limit: 200))
            #expect(page.allSatisfy { $0.organization.id == .default })
            seen += page.map(\.id)
            guard let last = page.last?.id, page.count == 200 else { break }
            after = last
            // The key that the cursor names, and one that no page has shown yet.
            for gone in [last, stays.subtracting(seen).first].compactMap(\.self) {
                _ = try store.keys.delete(gone)
                stays.remove(gone)
            }
            _ = try store.keys.mint(
                team: team, name: "meanwhile", prefix: "sk-test",
                terms: KeyStore.Terms(
                    expires: nil, models: nil, defaultCompletionTokens: nil, alwaysUsage: false),
                pepper: try Pepper(id: 1, bytes: (0..<32).map { UInt8($0) }))
        }
        #expect(count == Int(Self.many) + 2)
        #expect(seen.count == Set(seen).count)
        #expect(stays.subtracting(seen).isEmpty)
        #expect(seen.map(\.databaseValue) == seen.map(\.databaseValue).sorted())
    }

    @Test func `a page has those that are asked for: a team's, revoked ones, a pepper's`() throws {
        let (books, organization) = try Self.books()
        let shard = organization.id.shard.rawValue
        try books.store.connection.execute(
            script: """
                UPDATE api_key SET revoked_at = now() WHERE shard = \(shard) AND name LIKE '%7';
                UPDATE api_key SET not_after = now() WHERE shard = \(shard) AND name LIKE '%8';
                UPDATE api_key SET deleted_at = now() WHERE shard = \(shard) AND name LIKE '%9';
                UPDATE api_key SET pepper_id = 2 WHERE shard = \(shard) AND name LIKE '%6';
                """)
        let all = try books.store.keys.list(organization: organization, team: nil)
        let sales = try #require(
            try books.store.teams.find(name: "sales", organization: organization))
        for life in [KeySelection.Life.lasting, .revoked, .any] {
            for pepper in [nil, 2] as [Int16?] {
                for team in [nil, sales] {
                    let selection = KeySelection(life: life, pepper: pepper)
                    let page = try books.store.keys.page(
                        organization: organization, team: team, selection,
                        ListPage(after: nil, limit: 100_000))
                    let expected = all.filter { key in
                        selection.has(key.state, pepper: key.pepperID)
                            && (team == nil || key.teamID == team?.id)
                    }
                    #expect(Set(page) == Set(expected), "\(life) \(pepper ?? 0)")
                }
            }
        }
    }

    @Test func `organizations, teams and admin keys are walked page by page likewise`() throws {
        let directory = try DirectoryFixture()
        let names = (0..<23).map { "\($0 % 2 == 0 ? "Ü" : "a")\($0 * 7 % 23)" }
        for name in names {
            _ = try directory.store.organizations.create(name: name)
            _ = try directory.store.teams.create(name: name, organization: directory.organization)
            _ = try directory.store.adminKeys.mint(
                name: name, role: .auditor, organization: nil, expires: nil,
                pepper: directory.pepper, claim: nil)
        }
        // Names that a crash left behind stand for nothing.
        _ = try directory.rows(
            """
            INSERT INTO organization_name (shard, name, organization_id)
            SELECT 0, 'b' || g, 1000 + g FROM generate_series(1, 9) g
            """)
        func walk(_ page: (String?) throws -> [String]) throws -> [String] {
            var (all, after): ([String], String?) = ([], nil)
            while true {
                let found = try page(after)
                all += found
                guard found.count == 4 else { return all }
                after = found.last
            }
        }
        let organizations = try walk { after in
            try directory.store.organizations.page(ListPage(after: after, limit: 4)).map(\.name)
        }
        let teams = try walk { after in
            try directory.store.teams.page(
                organization: directory.organization, ListPage(after: after, limit: 4)
            ).map(\.name)
        }
        #expect(organizations.count == names.count + 1)
        #expect(Set(organizations) == Set(names + ["default"]))
        #expect(teams.count == names.count + 1 && Set(teams) == Set(names + ["research"]))
        let keys = try walk { after in
            try directory.store.adminKeys.page(
                organization: nil, isUsable: true,
                ListPage(after: after.flatMap { KeyID($0) }, limit: 4)
            ).map(\.id.description)
        }
        let listed = try directory.store.adminKeys.list(organization: nil)
        #expect(keys.count == listed.count && Set(keys) == Set(listed.map(\.id.description)))
    }

    @Test func `events are walked by whole events, the newest first`() throws {
        let directory = try DirectoryFixture()
        let organization = directory.organization
        let events = directory.store.events
        var made: [EventID] = []
        for number in 0..<7 {
            made.append(
                try events.test(
                    ["a", "b", "c"], of: organization.id, named: organization.name,
                    at: Timestamp(microseconds: 1_000_000 * Int64(number))))
        }
        var (seen, after): ([EventStatus], EventID?) = ([], nil)
        while true {
            let page = try events.list(
                organization.id, in: .pending, ListPage(after: after, limit: 2))
            seen += page
            guard let last = page.last?.event.id else { break }
            #expect(page.count == 6 || last == made.first)
            after = last
        }
        #expect(seen.map(\.event.id) == made.reversed().flatMap { [$0, $0, $0] })
        #expect(seen.prefix(3).map(\.delivery?.webhook) == ["a", "b", "c"])
        let dead = try events.list(organization.id, in: .dead, ListPage(after: nil, limit: 2))
        #expect(dead.isEmpty)
    }
}
