import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite struct DirectoryTests {
    @Test func `an organization is made once and found in its own shard`() throws {
        let fixture = try DirectoryFixture()
        let acme = try fixture.store.organizations.create(name: "acme")
        #expect(try fixture.store.organizations.find(name: "acme") == acme)
        #expect(try fixture.store.organizations.list().map(\.name) == ["acme", "default"])
        #expect(refusal { _ = try fixture.store.organizations.create(name: "acme") } == "exists")
        #expect(refusal { _ = try fixture.store.organizations.create(name: "default") } == "exists")
        #expect(try fixture.store.organizations.find(name: "nobody") == nil)
    }

    @Test func `making an organization that was left half made finishes it`() throws {
        let fixture = try DirectoryFixture()
        let id = OrganizationID(rawValue: 4711)
        _ = try fixture.rows(
            "INSERT INTO organization_name VALUES (0, 'acme', \(id.rawValue))")
        #expect(try fixture.store.organizations.find(name: "acme") == nil)
        #expect(try fixture.store.organizations.list().map(\.name) == ["default"])
        #expect(try fixture.store.organizations.create(name: "acme").id == id)
    }

    @Test(arguments: ["", " x", "x ", "a\nb", "a\u{202E}b", String(repeating: "x", count: 65)])
    func `a name that would disturb a terminal or a column is refused`(_ name: String) throws {
        let fixture = try DirectoryFixture()
        #expect(
            refusal { _ = try fixture.store.organizations.create(name: name) } == "invalid")
        #expect(
            refusal {
                _ = try fixture.store.teams.create(name: name, organization: fixture.organization)
            } == "invalid")
        #expect(refusal { _ = try fixture.mint(name) } == "invalid")
    }

    @Test func `two organizations may name their teams alike and never see each other's`() throws {
        let fixture = try DirectoryFixture()
        let acme = try fixture.store.organizations.create(name: "acme")
        let theirs = try fixture.store.teams.create(name: "research", organization: acme)
        let ours = try fixture.mint()
        let foreign = try fixture.mint(team: theirs)
        #expect(theirs.id != fixture.team.id)
        #expect(try fixture.store.teams.find(name: "research", organization: acme) == theirs)
        #expect(try fixture.store.teams.list(organization: acme) == [theirs])
        #expect(try fixture.store.teams.list(organization: nil).count == 2)
        #expect(
            try fixture.store.keys.list(organization: acme, team: nil).map(\.id)
                == [foreign.record.id])
        #expect(
            try fixture.store.keys.list(organization: fixture.organization, team: fixture.team)
                .map(\.id) == [ours.record.id])
        #expect(
            refusal {
                _ = try fixture.store.teams.create(name: "research", organization: acme)
            } == "exists")
        // A subject of one organization is not there for the other, even when both share a shard.
        #expect(
            refusal {
                _ = try fixture.store.apply(
                    [.setQuota(.tokens, .day, limit: 1)], subject: ours.record.subject,
                    organization: acme)
            } == "missing")
    }

    @Test func `a team of an organization that does not exist is refused`() throws {
        let fixture = try DirectoryFixture()
        let ghost = Organization(
            id: OrganizationID(rawValue: 77), name: "ghost", createdAt: Timestamp(microseconds: 0))
        #expect(
            refusal { _ = try fixture.store.teams.create(name: "t", organization: ghost) }
                == "missing")
    }

    @Test func `a key has the documented form and says where it lives`() throws {
        let fixture = try DirectoryFixture()
        let (record, token) = try fixture.mint(models: ["tiny", "large"])
        #expect(APIKeyFormat.parse(token) == record.id)
        let text = String(decoding: token, as: UTF8.self)
        let form = /sk-test_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}/
        #expect(text.wholeMatch(of: form) != nil)
        #expect(record.id.shard == fixture.organization.id.shard)
        #expect(text.hasSuffix(record.last4))
        #expect(record.models == ["tiny", "large"])
        #expect(record.state == .active)
        #expect(record.teamName == "research" && record.organization.name == "default")
        #expect(try fixture.store.keys.find(record.id) == record)
    }

    @Test func `nothing that is stored gives the secret away`() throws {
        let fixture = try DirectoryFixture()
        let (record, token) = try fixture.mint()
        let row = try fixture.rows("SELECT k::text, mac FROM api_key k")[0]
        let text = String(decoding: token, as: UTF8.self)
        let secret = String(text.suffix(49).prefix(43))
        let stored = try row.text(0)
        for start in 0...(secret.count - 5) {
            let piece = secret.dropFirst(start).prefix(5)
            #expect(!stored.contains(piece), "five characters of the secret are stored")
        }
        // The digest needs the pepper: another one, and none, give other digests.
        let mac = try row.bytes(1)
        let other = try Pepper(id: 1, bytes: (0..<32).map { UInt8($0 + 1) })
        #expect(fixture.pepper.digest(of: token) == mac)
        #expect(other.digest(of: token) != mac)
        #expect(record.last4.count == 4)
    }

    @Test func `revoking is for good, and the first time stays`() throws {
        let fixture = try DirectoryFixture()
        let (record, _) = try fixture.mint()
        let first = try fixture.store.keys.revoke(record.id)
        let second = try fixture.store.keys.revoke(record.id)
        #expect(first?.state == .revoked)
        #expect(first?.revokedAt != nil && first?.revokedAt == second?.revokedAt)
        #expect(try fixture.store.keys.revoke(KeyID(rawValue: 5)) == nil)
    }

    @Test func `the state of a key follows its times`() throws {
        let fixture = try DirectoryFixture()
        let (record, _) = try fixture.mint(expires: try fixture.store.time() + .seconds(3600))
        #expect(record.state == .active)
        _ = try fixture.rows("UPDATE api_key SET not_after = now() - interval '1 second'")
        #expect(try fixture.store.keys.find(record.id)?.state == .expired)
        _ = try fixture.rows(
            "UPDATE api_key SET not_after = NULL, not_before = now() + interval '1 hour'")
        #expect(try fixture.store.keys.find(record.id)?.state == .pending)
    }

    @Test func `every change raises the revision of its shard, and only of that`() throws {
        let fixture = try DirectoryFixture()
        var last = try fixture.revision()
        func rises(_ body: () throws -> Void) throws -> Bool {
            try body()
            let now = try fixture.revision()
            defer { last = now }
            return now > last
        }
        let (record, _) = try fixture.mint()
        #expect(try rises {})
        #expect(try rises { _ = try fixture.mint("second") })
        #expect(try rises { _ = try fixture.store.keys.revoke(record.id) })
        let quota = Quota(subject: record.subject, resource: .tokens, period: .day, limit: 5)
        #expect(
            try rises { try fixture.store.setQuota(quota, organization: fixture.organization) })
        let limit = RateLimit(subject: record.subject, dimension: .concurrentRequests, limit: 5)
        #expect(
            try rises { try fixture.store.setRateLimit(limit, organization: fixture.organization) })
        #expect(try !rises { _ = try fixture.store.organizations.create(name: "acme") })
    }

    @Test func `a short or monotonous pepper is refused, and none can be shown`() throws {
        let short = [UInt8](1...31)
        #expect(refusal { _ = try Pepper(id: 1, bytes: short) } == "invalid")
        #expect(refusal { _ = try Pepper(id: 1, bytes: []) } == "invalid")
        #expect(
            refusal { _ = try Pepper(id: 1, bytes: [UInt8](repeating: 7, count: 64)) } == "invalid")
        let pepper = try Pepper(id: 1, bytes: [UInt8](65..<97))
        var dumped = ""
        dump(pepper, to: &dumped)
        for text in ["\(pepper)", String(reflecting: pepper), dumped] {
            #expect(text.contains("[pepper]") && !text.contains("ABC"))
            #expect(!text.contains("MACContext"))
        }
    }

    private func refusal(_ body: () throws -> Void) -> String? {
        do { try body() } catch let error as LedgerError {
            switch error {
            case .exists: return "exists"
            case .missing: return "missing"
            case .invalid: return "invalid"
            default: return error.debugDescription
            }
        } catch { return "\(error)" }
        return nil
    }
}
