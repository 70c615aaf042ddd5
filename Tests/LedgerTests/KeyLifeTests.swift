import Domain
import TestSupport
import Testing

@testable import Ledger

@Suite struct KeyLife {
    @Test(arguments: Subject.Kind.allCases)
    func `a suspension is told within one poll, reported, and ends with the next`(
        _ kind: Subject.Kind
    ) async throws {
        let cached = try CachedFixture()
        let (store, fixture) = (cached.fixture.store, cached.fixture)
        let (record, token) = try fixture.mint()
        #expect(try await cached.directory.check(token).principal != nil)
        switch kind {
        case .organization: _ = try store.organizations.suspend(.default, reason: "unpaid")
        case .team: try store.teams.suspend(fixture.team, reason: "unpaid")
        case .key: _ = try store.keys.suspend(record.id, reason: "unpaid")
        }
        #expect(try store.keys.find(record.id)?.state == .suspended)
        #expect(try store.keys.find(record.id)?.suspended == kind)
        try await cached.directory.refresh()
        #expect(try await cached.directory.check(token).suspended == kind)
        #expect(cached.changes.all == [KeyChange(key: record.id, end: .suspended(kind))])
        // Only to who has the secret.
        var wrong = token
        wrong[wrong.count - 20] ^= 1
        #expect(try await cached.directory.check(wrong).isRefused)

        switch kind {
        case .organization: _ = try store.organizations.resume(.default)
        case .team: try store.teams.resume(fixture.team)
        case .key: _ = try store.keys.resume(record.id)
        }
        try await cached.directory.refresh()
        #expect(try await cached.directory.check(token).principal != nil)
        #expect(cached.changes.all.last == KeyChange(key: record.id, end: nil))
    }

    @Test func `suspending a key suspends both of its secrets, and keeps the first time`() throws {
        let fixture = try DirectoryFixture()
        let (record, _) = try fixture.mint()
        let rotation = try fixture.store.keys.rotate(
            record.id, grace: .seconds(3600), pepper: fixture.pepper)
        let new = rotation.new.id
        _ = rotation.takeSecret()
        let first = try fixture.store.keys.suspend(new, reason: "unpaid")
        #expect(try fixture.store.keys.find(record.id)?.state == .suspended)
        let second = try fixture.store.keys.suspend(record.id, reason: nil)
        #expect(first?.state == .suspended && second?.suspendReason == "unpaid")
        _ = try fixture.store.keys.resume(record.id)
        #expect(try fixture.store.keys.find(record.id)?.state == .retiring)
        #expect(try fixture.store.keys.find(new)?.state == .active)
        _ = try fixture.store.keys.rename(record.id, to: "other")
        #expect(try fixture.store.keys.find(new)?.name == "other")
    }

    @Test func `a deleted key is refused as revoked, and its rows stay`() async throws {
        let cached = try CachedFixture()
        let (record, token) = try cached.fixture.mint()
        #expect(try await cached.directory.check(token).principal != nil)
        try cached.fixture.store.keys.delete(record.id)
        try await cached.directory.refresh()
        #expect(try await cached.directory.check(token).isRefused)
        #expect(cached.changes.all == [KeyChange(key: record.id, end: .revoked)])
        let keys = cached.fixture.store.keys
        #expect(try keys.find(record.id) == nil)
        #expect(try keys.list(organization: cached.fixture.organization, team: nil).isEmpty)
        #expect(try cached.fixture.rows("SELECT 1 FROM api_key").count == 1)
    }

    @Test func `a team with keys is deleted only with them, and its name may be used again`() throws
    {
        let fixture = try DirectoryFixture()
        let (record, _) = try fixture.mint()
        let teams = fixture.store.teams
        #expect(refusal { try teams.delete(fixture.team, contents: false) } == "the team has 1 key")
        #expect(try fixture.store.keys.find(record.id)?.state == .active)
        try teams.delete(fixture.team, contents: true)
        #expect(try fixture.store.keys.find(record.id) == nil)
        #expect(try teams.find(name: "research", organization: fixture.organization) == nil)
        #expect(refusal { _ = try fixture.mint() } == "there is no team \"research\"")
        let again = try teams.create(name: "research", organization: fixture.organization)
        #expect(again.id != fixture.team.id)
        #expect(try fixture.rows("SELECT 1 FROM team").count == 2)
    }

    @Test func `a team is renamed unless its organization has one of that name`() throws {
        let fixture = try DirectoryFixture()
        let other = try fixture.store.teams.create(name: "b", organization: fixture.organization)
        #expect(
            refusal { try fixture.store.teams.rename(other, to: "research") }
                == "there is a team \"research\" already")
        try fixture.store.teams.rename(other, to: "b")
        try fixture.store.teams.rename(other, to: "c")
        #expect(
            try fixture.store.teams.list(organization: fixture.organization).map(\.name) == [
                "c", "research",
            ])
    }

    @Test func `an organization's old name may be used again after a rename or a deletion`() throws
    {
        let fixture = try DirectoryFixture()
        let organizations = fixture.store.organizations
        let first = try organizations.create(name: "acme")
        #expect(try organizations.rename(first.id, to: "beta").id == first.id)
        #expect(try organizations.find(name: "acme") == nil)
        #expect(try organizations.find(name: "beta")?.id == first.id)
        let second = try organizations.create(name: "acme")
        #expect(second.id != first.id)
        #expect(
            refusal { _ = try organizations.rename(first.id, to: "acme") }
                == "there is a organization \"acme\" already")
        try organizations.delete(second.id, contents: false)
        let third = try organizations.create(name: "acme")
        #expect(third.id != second.id)
        #expect(try organizations.list().map(\.name) == ["acme", "beta", "default"])
        #expect(refusal { try organizations.delete(.default, contents: true) } != nil)
        #expect(refusal { _ = try organizations.rename(.default, to: "x") } != nil)
    }

    @Test func `a rename of an organization that was left half done is finished or undone`() throws
    {
        let fixture = try DirectoryFixture()
        let organizations = fixture.store.organizations
        let acme = try organizations.create(name: "acme")
        // It died after it had reserved the new name: nothing is renamed, and the name is free.
        _ = try fixture.rows(
            "INSERT INTO organization_name VALUES (0, 'beta', \(acme.id.rawValue))")
        #expect(try organizations.list().map(\.name) == ["acme", "default"])
        #expect(try organizations.find(name: "beta") == nil)
        #expect(try organizations.rename(acme.id, to: "beta").name == "beta")
        // It died before it freed the old name.
        _ = try fixture.rows(
            "INSERT INTO organization_name VALUES (0, 'acme', \(acme.id.rawValue))")
        #expect(try organizations.list().map(\.name) == ["beta", "default"])
        let other = try organizations.create(name: "acme")
        #expect(other.id != acme.id)
        #expect(try organizations.list().map(\.name) == ["acme", "beta", "default"])
    }

    @Test func `an organization with teams is deleted only with them`() throws {
        let fixture = try DirectoryFixture()
        let acme = try fixture.store.organizations.create(name: "acme")
        let team = try fixture.store.teams.create(name: "a", organization: acme)
        let (record, _) = try fixture.mint(team: team)
        let organizations = fixture.store.organizations
        #expect(
            refusal { try organizations.delete(acme.id, contents: false) }
                == "the organization has 1 team")
        try organizations.delete(acme.id, contents: true)
        #expect(try fixture.store.keys.find(record.id) == nil)
        #expect(try organizations.find(name: "acme") == nil)
        #expect(
            refusal { _ = try fixture.store.teams.create(name: "b", organization: acme) }
                == "there is no organization \"acme\"")
        #expect(try fixture.rows("SELECT 1 FROM organization").count == 2)
    }

    @Test func `terms that break a rule change nothing`() throws {
        let fixture = try DirectoryFixture()
        let (record, _) = try fixture.mint()
        let broken: [(inout KeyStore.Terms) -> Void] = [
            { $0.tags = ["a=1", "a=2"] }, { $0.tags = ["=1"] }, { $0.tags = ["a"] },
            { $0.tags = (0...16).map { "t\($0)=1" } }, { $0.endpoints = ["everything"] },
            { $0.endpoints = [] }, { $0.models = [] }, { $0.defaultCompletionTokens = 0 },
        ]
        for body in broken {
            #expect(refusal { _ = try fixture.store.keys.change(record.id, body) } != nil)
        }
        #expect(try fixture.store.keys.find(record.id) == record)
    }

    private func refusal(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return "\(error)" }
        return nil
    }
}

extension Authentication {
    /// Who is suspended, when it is that.
    var suspended: Subject.Kind? {
        if case .suspended(let kind) = self { kind } else { nil }
    }
}
