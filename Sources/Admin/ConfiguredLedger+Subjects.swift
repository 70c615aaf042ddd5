import Domain
import Ledger

extension ConfiguredLedger {
    func suspend(_ subject: SubjectEntry, reason: String?) throws(AdminFailure) {
        switch subject {
        case .organization(let organization):
            let id = organization.id
            _ = try asking { store throws(LedgerError) in
                try store.organizations.suspend(id, reason: reason)
            }
        case .team(let team, let organization):
            let group = try value(team, in: organization)
            try asking { store throws(LedgerError) in
                try store.teams.suspend(group, reason: reason)
            }
        case .key(let key, _):
            _ = try asking { store throws(LedgerError) in
                try store.keys.suspend(key.id, reason: reason)
            }
        }
    }

    func resume(_ subject: SubjectEntry) throws(AdminFailure) {
        switch subject {
        case .organization(let organization):
            let id = organization.id
            _ = try asking { store throws(LedgerError) in try store.organizations.resume(id) }
        case .team(let team, let organization):
            let group = try value(team, in: organization)
            try asking { store throws(LedgerError) in try store.teams.resume(group) }
        case .key(let key, _):
            _ = try asking { store throws(LedgerError) in try store.keys.resume(key.id) }
        }
    }

    func rename(_ subject: SubjectEntry, to name: String) throws(AdminFailure) {
        switch subject {
        case .organization(let organization):
            let id = organization.id
            _ = try asking { store throws(LedgerError) in
                try store.organizations.rename(id, to: name)
            }
        case .team(let team, let organization):
            let group = try value(team, in: organization)
            try asking { store throws(LedgerError) in try store.teams.rename(group, to: name) }
        case .key(let key, _):
            _ = try asking { store throws(LedgerError) in
                try store.keys.rename(key.id, to: name)
            }
        }
    }

    func delete(_ subject: SubjectEntry, contents: Bool) throws(AdminFailure) {
        switch subject {
        case .organization(let organization):
            let id = organization.id
            try asking { store throws(LedgerError) in
                try store.organizations.delete(id, contents: contents)
            }
        case .team(let team, let organization):
            let group = try value(team, in: organization)
            try asking { store throws(LedgerError) in
                try store.teams.delete(group, contents: contents)
            }
        case .key(let key, _):
            try asking { store throws(LedgerError) in try store.keys.delete(key.id) }
        }
    }

    func rotateKey(
        _ id: KeyID, grace: Duration, in organization: OrganizationEntry
    ) throws(AdminFailure) -> MintedKeyEntry {
        try assertHas(id, organization)
        let pepper = try readPepper()
        let rotation: KeyStore.Rotation
        do throws(LedgerError) {
            rotation = try store.keys.rotate(id, grace: grace, pepper: pepper, claim: claim)
        } catch {
            throw failure(error)
        }
        let key = Self.entry(rotation.new)
        return MintedKeyEntry(key: key, secret: rotation.takeSecret())
    }

    func finishRotation(
        of id: KeyID, in organization: OrganizationEntry
    ) throws(AdminFailure) -> [KeyID] {
        try assertHas(id, organization)
        return try asking { store throws(LedgerError) in try store.keys.finishRotation(id) }
    }

    func changeKey(
        _ id: KeyID, in organization: OrganizationEntry, _ change: (inout KeyStore.Terms) -> Void
    ) throws(AdminFailure) {
        try assertHas(id, organization)
        _ = try asking { store throws(LedgerError) in try store.keys.change(id, change) }
    }

    /// Refuses a key of another organization exactly as one that does not exist.
    private func assertHas(
        _ id: KeyID, _ organization: OrganizationEntry
    ) throws(AdminFailure) {
        guard try findKey(id, in: organization) != nil else {
            throw .notFound("key", id.description, in: organization, advice: "Nothing was changed.")
        }
    }
}
