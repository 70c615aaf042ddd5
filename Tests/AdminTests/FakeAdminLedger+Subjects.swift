import Domain
import Ledger

@testable import Admin

extension FakeAdminLedger {
    /// Changes the keys of an organization.
    func update(
        _ organization: OrganizationEntry, _ body: @Sendable (inout KeyEntry) -> Void
    ) throws(AdminFailure) {
        try checked { state in
            for index in (state.keys[organization.id] ?? []).indices {
                body(&state.keys[organization.id, default: []][index])
            }
        }
    }

    func suspend(_ subject: SubjectEntry, reason: String?) throws(AdminFailure) {
        try set(subject, suspendedAt: Self.now, reason)
    }

    func resume(_ subject: SubjectEntry) throws(AdminFailure) {
        try set(subject, suspendedAt: nil, nil)
    }

    private func set(
        _ subject: SubjectEntry, suspendedAt: Timestamp?, _ reason: String?
    ) throws(AdminFailure) {
        switch subject {
        case .organization(let organization):
            try checked { state in
                for index in state.organizations.indices
                where state.organizations[index].id == organization.id {
                    state.organizations[index].suspendedAt = suspendedAt
                    state.organizations[index].suspendReason = reason
                }
            }
        case .team(let team, let organization):
            try checked { state in
                for index in (state.teams[organization.id] ?? []).indices
                where state.teams[organization.id]?[index].id == team.id {
                    state.teams[organization.id]?[index].suspendedAt = suspendedAt
                    state.teams[organization.id]?[index].suspendReason = reason
                }
            }
        case .key(let key, let organization):
            try update(organization) { other in
                guard other.subject == key.subject else { return }
                other.state = suspendedAt == nil ? .active : .suspended
                other.suspended = suspendedAt.map { _ in .key }
                other.suspendReason = reason
            }
        }
    }

    func rename(_ subject: SubjectEntry, to name: String) throws(AdminFailure) {
        switch subject {
        case .organization(let organization):
            try checked { state in
                state.organizations = state.organizations.map { one in
                    one.id != organization.id
                        ? one : OrganizationEntry(id: one.id, name: name, createdAt: one.createdAt)
                }
            }
        case .team(let team, let organization):
            try checked { state in
                state.teams[organization.id] = state.teams[organization.id]?.map { one in
                    one.id != team.id
                        ? one : TeamEntry(id: one.id, name: name, createdAt: one.createdAt)
                }
            }
        case .key(let key, let organization):
            try update(organization) { if $0.subject == key.subject { $0.name = name } }
        }
    }

    func delete(_ subject: SubjectEntry, contents: Bool) throws(AdminFailure) {
        try checked { state in
            switch subject {
            case .organization(let organization):
                state.organizations.removeAll { $0.id == organization.id }
                state.teams[organization.id] = nil
                state.keys[organization.id] = nil
            case .team(let team, let organization):
                state.teams[organization.id]?.removeAll { $0.id == team.id }
                state.keys[organization.id]?.removeAll { $0.team == team.name }
            case .key(let key, let organization):
                state.keys[organization.id]?.removeAll { $0.subject == key.subject }
            }
        }
    }

    func rotateKey(
        _ id: KeyID, grace: Duration, in organization: OrganizationEntry
    ) throws(AdminFailure) -> MintedKeyEntry {
        let made = try checked { state -> KeyEntry? in
            guard var new = state.keys[organization.id]?.first(where: { $0.id == id }) else {
                return nil
            }
            state.nextID += 1
            new.id = KeyID(shard: organization.id.shard, random: UInt64(state.nextID))
            new.last4 = "wxyz"
            for index in (state.keys[organization.id] ?? []).indices
            where state.keys[organization.id]?[index].id == id {
                state.keys[organization.id]?[index].state = .retiring
                state.keys[organization.id]?[index].replacedBy = new.id
                state.keys[organization.id]?[index].expiresAt = Self.now + grace
            }
            state.keys[organization.id]?.append(new)
            return new
        }
        guard let made else { throw .refused("No such key.", advice: nil) }
        let secret = APIKeyFormat.write(
            prefix: "sk-test", id: made.id, secret: [UInt8](repeating: 9, count: 32))
        return MintedKeyEntry(key: made, secret: secret)
    }

    func finishRotation(
        of id: KeyID, in organization: OrganizationEntry
    ) throws(AdminFailure) -> [KeyID] {
        let subject = try findKey(id, in: organization)?.subject
        let ended = try keys(in: organization, of: nil).filter { key in
            key.subject == subject && key.replacedBy != nil && key.revokedAt == nil
        }.map(\.id)
        for id in ended { try revokeKey(id, reason: "rotated", in: organization) }
        return ended
    }

    func changeKey(
        _ id: KeyID, in organization: OrganizationEntry, _ change: (inout KeyStore.Terms) -> Void
    ) throws(AdminFailure) {
        guard let key = try findKey(id, in: organization) else { return }
        var terms = KeyStore.Terms(
            expires: key.expiresAt, models: key.models,
            defaultCompletionTokens: key.defaultCompletionTokens, alwaysUsage: key.streamsUsage)
        terms.mirrorsReasoning = key.mirrorsReasoning
        terms.endpoints = key.endpoints
        terms.tags = key.tags
        terms.clamps = key.clamps
        change(&terms)
        let changed = terms
        try update(organization) { key in
            guard key.id == id else { return }
            key.expiresAt = changed.expires
            key.models = changed.models
            key.defaultCompletionTokens = changed.defaultCompletionTokens
            key.streamsUsage = changed.alwaysUsage
            key.mirrorsReasoning = changed.mirrorsReasoning
            key.endpoints = changed.endpoints
            key.tags = changed.tags
            key.clamps = changed.clamps
        }
    }
}
