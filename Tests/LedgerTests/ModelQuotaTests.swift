import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Quotas and rate limits of one model, as the directory keeps them.
@Suite struct `Quotas of one model in the directory` {
    private let fixture: DirectoryFixture
    private let team: Subject

    init() throws {
        fixture = try DirectoryFixture()
        team = Subject(kind: .team, id: fixture.team.id.rawValue)
    }

    private func apply(_ changes: [AllowanceChange], _ model: String?) throws -> [Bool] {
        try fixture.store.apply(
            changes, subject: team, model: model, organization: fixture.organization)
    }

    private func quotas() throws -> [Quota] {
        try fixture.store.quotas.list(team, organization: fixture.organization)
    }

    private func rates() throws -> [RateLimit] {
        try fixture.store.rateLimits.list(team, organization: fixture.organization)
    }

    @Test func `limits of two models and of all are set, changed and cleared apart`() throws {
        let set: [AllowanceChange] = [
            .setQuota(.tokens, .day, limit: 10), .setRateLimit(.requestsPerMinute, limit: 3),
        ]
        #expect(try apply(set, nil) == [true, true])
        #expect(try apply(set, "tiny") == [true, true])
        #expect(try apply([.setQuota(.tokens, .day, limit: 7)], "gpt-4o") == [true])
        #expect(try quotas().map(\.model) == [nil, "gpt-4o", "tiny"])
        #expect(try quotas().map(\.limit) == [10, 7, 10])
        #expect(try rates().map(\.model) == [nil, "tiny"])
        let numbers = try quotas().map(\.subject)
        #expect(numbers.map(\.isOfOneModel) == [false, true, true])
        #expect(Set(numbers).count == 3 && numbers.allSatisfy { $0.kind == .team })

        #expect(
            try apply([.setQuota(.tokens, .day, limit: 8, ridesOutages: false)], "gpt-4o")
                == [true])
        #expect(try quotas().map(\.limit) == [10, 8, 10])
        #expect(try quotas().map(\.ridesOutages) == [true, false, true])
        #expect(try quotas().map(\.subject) == numbers)

        let clear: [AllowanceChange] = [
            .clearQuota(.tokens, .day), .clearRateLimit(.requestsPerMinute),
        ]
        #expect(try apply(clear, "tiny") == [true, true])
        #expect(try apply(clear, "tiny") == [false, false])
        #expect(try quotas().map(\.model) == [nil, "gpt-4o"])
        #expect(try rates().map(\.model) == [nil])
        // A model comes back under the number that its accounts have.
        #expect(try apply(set, "tiny") == [true, true])
        #expect(try quotas().map(\.subject) == numbers)
    }

    @Test func `clearing what a model never had makes nothing`() throws {
        let before = try fixture.rows("SELECT count(*) FROM subject_model")[0].int8(0)
        #expect(try apply([.clearQuota(.tokens, .day)], "tiny") == [false])
        #expect(try fixture.rows("SELECT count(*) FROM subject_model")[0].int8(0) == before)
    }

    @Test(arguments: ["", String(repeating: "m", count: 129)])
    func `a name that no model can have is refused, and nothing is stored`(name: String) throws {
        #expect(throws: LedgerError.self) { try apply([.setQuota(.tokens, .day, limit: 1)], name) }
        #expect(try quotas().isEmpty)
    }

    @Test func `another organization's subject gets no limit of a model`() throws {
        let stranger = try fixture.store.organizations.create(name: "acme")
        #expect(throws: LedgerError.self) {
            try fixture.store.apply(
                [.setQuota(.tokens, .day, limit: 1)], subject: team, model: "tiny",
                organization: stranger)
        }
        #expect(try fixture.rows("SELECT count(*) FROM subject_model")[0].int8(0) == 0)
    }

    @Test func `a gateway is told every limit with its model`() async throws {
        let (record, _) = try fixture.mint()
        let organization = Subject(kind: .organization, id: fixture.organization.id.rawValue)
        for (subject, model) in [(organization, "tiny"), (team, nil), (record.subject, "gpt-4o")] {
            _ = try fixture.store.apply(
                [.setQuota(.tokens, .day, limit: 5), .setRateLimit(.tokensPerMinute, limit: 6)],
                subject: subject, model: model, organization: fixture.organization)
        }
        // Nobody else's.
        let other = try fixture.store.teams.create(
            name: "other", organization: fixture.organization)
        _ = try fixture.store.apply(
            [.setQuota(.tokens, .day, limit: 5)],
            subject: Subject(kind: .team, id: other.id.rawValue), model: "tiny",
            organization: fixture.organization)
        let principal = try fixture.principal(record.id)
        #expect(principal.quotas.map(\.model) == ["tiny", nil, "gpt-4o"])
        #expect(principal.quotas.map(\.subject.kind) == [.organization, .team, .key])
        #expect(principal.rateLimits.map(\.model) == ["tiny", nil, "gpt-4o"])
        #expect(principal.quotas.filter { $0.counts("tiny") }.count == 2)
        #expect(principal.rateLimits(of: "tiny").map(\.model) == ["tiny", nil])
        #expect(principal.rateLimits(of: "another").map(\.model) == [nil])
        // What a program of before migration 17 reads: its ids, and those only.
        let known = try fixture.rows(
            """
            SELECT count(*) FROM quota WHERE shard = 229 AND (subject_kind, subject_id) IN
                ((1, 1), (2, \(team.id)), (3, \(record.subjectID)))
            """)
        #expect(try known[0].int8(0) == 1)
    }

    @Test func `accounts of before the migration keep their numbers`() throws {
        let database = try TestDatabase.makeEmpty()
        let connection = try database.connection()
        _ = try Migrator(migrations: Array(Migration.all.prefix(16))).migrate(connection)
        try connection.execute(
            script: """
                INSERT INTO quota (shard, organization_id, subject_kind, subject_id, resource,
                    period, limit_units) VALUES (229, 1, 1, 1, 1, 3, 100);
                INSERT INTO account (shard, account_id, organization_id, subject_kind, subject_id,
                    resource, period, period_start, limit_units, cap, granted, used)
                VALUES (229, 4711, 1, 1, 1, 1, 3, '1970-01-01', 100, 100, 60, 60);
                """)
        _ = try Migrator().migrate(connection)
        let store = DirectoryStore(connection, random: DirectoryFixture.random, author: .test)
        let owner = try #require(try store.organizations.find(name: "default"))
        let organization = Subject(kind: .organization, id: 1)
        _ = try store.apply(
            [.setQuota(.tokens, .total, limit: 9)], subject: organization, model: "tiny",
            organization: owner)
        let status = try store.quotas.status(organization, organization: owner)
        #expect(status.map(\.quota.model) == [nil, "tiny"])
        #expect(status.map(\.left) == [40, 9])
    }
}

extension DirectoryFixture {
    /// A key as a gateway reads it.
    func principal(_ key: KeyID) throws -> Principal {
        let rows = try store.connection.execute(KeySourceStatements.read([key], key.shard)).rows
        guard let found = try rows.first.flatMap({ try KeySourceStatements.decode($0, key.shard) })
        else { throw LedgerError.missing(what: "key", name: key.description) }
        return found.principal
    }
}
