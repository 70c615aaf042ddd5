import Domain
import Ledger

/// A key of the admin HTTP API as the commands show it: everything but its secret.
struct AdminKeyEntry: Equatable {
    let id: KeyID
    let name: String
    /// What its holder may do.
    let role: AdminRole
    /// The one organization that it may see; nil for all.
    let organization: OrganizationID?
    /// That organization's name; nil for all, or when it was deleted.
    let organizationName: String?
    let last4: String
    let createdAt: Timestamp
    let expiresAt: Timestamp?
    var revokedAt: Timestamp?
    let lastUsedAt: Timestamp?
    /// Whether it may be used, by the ledger's clock.
    var isUsable: Bool

    /// Who acts, when it is presented.
    var author: ActionAuthor { ActionAuthor(way: .api, name: "\(id) (\(name))") }
}

/// An admin key to be minted.
struct AdminKeyOrder: Equatable {
    let name: String
    let role: AdminRole
    /// The one organization that it may see; nil for all.
    let organization: OrganizationEntry?
    /// When it stops being valid; nil for never.
    let expiresAt: Timestamp?
}

/// An admin key that was just made, with the only copy of its secret.
struct MintedAdminKeyEntry: ~Copyable {
    let key: AdminKeyEntry
    let secret: APIKeySecret
}

/// What is asked of the ledger about the keys of the admin HTTP API.
protocol AdminKeyLedger {
    /// Makes a key and hands over its secret, the only time that anybody sees it.
    func mintAdminKey(_ order: AdminKeyOrder) throws(AdminFailure) -> MintedAdminKeyEntry
    /// Every key, or those of one organization, the oldest first; revoked and expired ones too.
    func adminKeys(of organization: OrganizationEntry?) throws(AdminFailure) -> [AdminKeyEntry]
    /// The key of that id, whatever has become of it.
    func findAdminKey(_ id: KeyID) throws(AdminFailure) -> AdminKeyEntry?
    /// Ends a key for good. Repeating it changes nothing.
    func revokeAdminKey(_ id: KeyID) throws(AdminFailure)
}

extension ConfiguredLedger {
    func mintAdminKey(_ order: AdminKeyOrder) throws(AdminFailure) -> MintedAdminKeyEntry {
        let pepper = try readPepper()
        let minted: AdminKeyStore.Minted
        do throws(LedgerError) {
            minted = try store.adminKeys.mint(
                name: order.name, role: order.role, organization: order.organization?.id,
                expires: order.expiresAt, pepper: pepper, claim: claim)
        } catch {
            throw failure(error)
        }
        let key = Self.entry(minted.record, order.organization?.name)
        return MintedAdminKeyEntry(key: key, secret: minted.takeSecret())
    }

    func adminKeys(of organization: OrganizationEntry?) throws(AdminFailure) -> [AdminKeyEntry] {
        try named(
            try asking { store throws(LedgerError) in
                try store.adminKeys.list(organization: organization?.id)
            })
    }

    func findAdminKey(_ id: KeyID) throws(AdminFailure) -> AdminKeyEntry? {
        let found = try asking { store throws(LedgerError) in try store.adminKeys.find(id) }
        return try named(found.map { [$0] } ?? []).first
    }

    /// The keys with the names of the organizations that they are bound to.
    func named(_ found: [AdminKeyRecord]) throws(AdminFailure) -> [AdminKeyEntry] {
        var names: [OrganizationID: String] = [:]
        for id in Set(found.compactMap(\.organization)) {
            names[id] = try findOrganization(id)?.name
        }
        return found.map { Self.entry($0, $0.organization.flatMap { names[$0] }) }
    }

    func revokeAdminKey(_ id: KeyID) throws(AdminFailure) {
        _ = try asking { store throws(LedgerError) in try store.adminKeys.revoke(id) }
    }

    /// The organization of that id.
    func findOrganization(_ id: OrganizationID) throws(AdminFailure) -> OrganizationEntry? {
        try asking { store throws(LedgerError) in try store.organizations.find(id) }.map(entry)
    }

    /// The admin key whose secret is presented, if it may be used.
    func authenticate(
        _ secret: borrowing APIKeySecret, peppers: [Ledger.Pepper]
    ) throws(AdminFailure) -> AdminKeyEntry? {
        let found: AdminKeyRecord?
        do throws(LedgerError) {
            found = try store.adminKeys.authenticate(secret, peppers: peppers)
        } catch {
            throw failure(error)
        }
        guard let found else { return nil }
        let name = try found.organization.flatMap { id throws(AdminFailure) in
            try findOrganization(id)?.name
        }
        return Self.entry(found, name)
    }

    private static func entry(_ record: AdminKeyRecord, _ organization: String?) -> AdminKeyEntry {
        AdminKeyEntry(
            id: record.id, name: record.name, role: record.role,
            organization: record.organization, organizationName: organization,
            last4: record.last4, createdAt: record.createdAt, expiresAt: record.expiresAt,
            revokedAt: record.revokedAt, lastUsedAt: record.lastUsedAt,
            isUsable: record.isUsable)
    }
}
