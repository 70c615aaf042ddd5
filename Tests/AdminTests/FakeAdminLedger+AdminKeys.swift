import Domain

@testable import Admin

extension FakeAdminLedger {
    func mintAdminKey(_ order: AdminKeyOrder) throws(AdminFailure) -> MintedAdminKeyEntry {
        let key = try checked { state in
            state.nextID += 1
            let made = AdminKeyEntry(
                id: KeyID(shard: Shard(rawValue: 0), random: UInt64(state.nextID)),
                name: order.name, role: order.role, organization: order.organization?.id,
                organizationName: order.organization?.name, last4: "abcd", createdAt: Self.now,
                expiresAt: order.expiresAt, revokedAt: nil, lastUsedAt: nil, isUsable: true)
            state.adminKeys.append(made)
            return made
        }
        let secret = APIKeyFormat.write(
            prefix: "turnpike-admin", id: key.id, secret: [UInt8](repeating: 5, count: 32))
        return MintedAdminKeyEntry(key: key, secret: secret)
    }

    func adminKeys(of organization: OrganizationEntry?) throws(AdminFailure) -> [AdminKeyEntry] {
        try checked { state in
            state.adminKeys.filter { organization == nil || $0.organization == organization?.id }
        }
    }

    func findAdminKey(_ id: KeyID) throws(AdminFailure) -> AdminKeyEntry? {
        try adminKeys(of: nil).first { $0.id == id }
    }

    func revokeAdminKey(_ id: KeyID) throws(AdminFailure) {
        try checked { state in
            for index in state.adminKeys.indices
            where state.adminKeys[index].id == id && state.adminKeys[index].revokedAt == nil {
                state.adminKeys[index].revokedAt = Self.now
                state.adminKeys[index].isUsable = false
            }
        }
    }
}
