import Domain

/// What is told of organizations, teams and keys.
extension ActionLog {
    /// Notes what became of an organization; `before` is nil for a new one.
    mutating func note(_ action: AdminAction, of before: Organization?, _ after: Organization) {
        note(
            action, after.actionSubject, of: ActionOwner(before ?? after, team: nil),
            before: before?.actionState([]), after: after.actionState([]))
    }

    /// Notes that an organization is gone with what it had.
    mutating func deleted(_ organization: Organization, teams: Int64, keys: [KeyRecord]) {
        note(
            .organizationDelete, organization.actionSubject,
            of: ActionOwner(organization, team: nil),
            before: organization.actionState([
                ("teams", .number(teams)), ("keys", .names(keys.map(\.id.description))),
            ]), after: nil)
    }

    /// Notes what became of a team; `before` is nil for a new one.
    mutating func note(_ action: AdminAction, of before: Team?, _ after: Team) {
        note(
            action, after.actionSubject, of: ActionOwner(after.organization, team: after.id),
            before: before?.actionState([]), after: after.actionState([]))
    }

    /// Notes that a team is gone with its keys.
    mutating func deleted(_ team: Team, keys: [KeyRecord]) {
        note(
            .teamDelete, team.actionSubject, of: ActionOwner(team.organization, team: team.id),
            before: team.actionState([("keys", .names(keys.map(\.id.description)))]), after: nil)
    }

    /// Notes what became of a key; `before` is nil for a new one.
    mutating func note(_ action: AdminAction, of before: KeyRecord?, _ after: KeyRecord) {
        note(
            action, after.actionSubject, of: after.actionOwner, before: before?.actionState,
            after: after.actionState)
    }

    /// Notes that a key is gone with all its secrets.
    mutating func deleted(_ key: KeyRecord) {
        note(
            .keyDelete, key.actionSubject, of: key.actionOwner, before: key.actionState, after: nil)
    }
}

extension ActionLog {
    /// Notes what became of a key of the admin HTTP API; `before` is nil for a new one.
    mutating func note(_ action: AdminAction, of before: AdminKeyRecord?, _ after: AdminKeyRecord) {
        note(
            action,
            ActionSubject(kind: .adminKey, id: after.id.databaseValue, name: after.name), of: nil,
            before: before?.actionState, after: after.actionState)
    }
}

extension AdminKeyRecord {
    /// Its role and its state: nothing of its secret, its digest or its pepper.
    fileprivate var actionState: ActionState {
        ActionState([
            ("name", .text(name)), ("role", .text(role.rawValue)),
            ("organization_id", organization.map { .text(String($0.rawValue)) }),
            ("expires_at", expiresAt.map(ActionState.Value.instant)),
            ("revoked_at", revokedAt.map(ActionState.Value.instant)),
        ])
    }
}

extension ActionState {
    /// What organizations and teams are told by alike: their name and whether they are suspended.
    fileprivate static func ofGroup(
        _ name: String, suspendedAt: Timestamp?, reason: String?,
        _ more: [(name: String, value: Value?)]
    ) -> ActionState {
        ActionState(
            [
                ("name", .text(name)), ("state", .state(suspendedAt)),
                ("suspended_at", suspendedAt.map(Value.instant)),
                ("reason", reason.map(Value.text)),
            ] + more)
    }
}

extension Organization {
    fileprivate var actionSubject: ActionSubject {
        ActionSubject(kind: .organization, id: id.rawValue, name: name)
    }

    fileprivate func actionState(
        _ more: [(name: String, value: ActionState.Value?)]
    ) -> ActionState {
        .ofGroup(name, suspendedAt: suspendedAt, reason: suspendReason, more)
    }
}

extension Team {
    fileprivate var actionSubject: ActionSubject {
        ActionSubject(kind: .team, id: id.rawValue, name: name)
    }

    fileprivate func actionState(
        _ more: [(name: String, value: ActionState.Value?)]
    ) -> ActionState {
        .ofGroup(name, suspendedAt: suspendedAt, reason: suspendReason, more)
    }
}

extension KeyRecord {
    fileprivate var actionSubject: ActionSubject {
        ActionSubject(kind: .key, id: id.databaseValue, name: name)
    }

    fileprivate var actionOwner: ActionOwner { ActionOwner(organization, team: teamID) }

    /// Its terms and its state: nothing of its secret, its digest or its pepper.
    fileprivate var actionState: ActionState {
        ActionState([
            ("name", .text(name)), ("team", .text(teamName)), ("state", .text(state.rawValue)),
            ("expires_at", notAfter.map(ActionState.Value.instant)),
            ("models", models.map(ActionState.Value.names)),
            ("endpoints", endpoints.map(ActionState.Value.names)),
            ("tags", tags.isEmpty ? nil : .names(tags)),
            (
                "default_completion_tokens",
                defaultCompletionTokens.map(ActionState.Value.number)
            ),
            ("clamps", .flag(clamps)), ("always_usage", .flag(alwaysUsage)),
            ("mirrors_reasoning", .flag(mirrorsReasoning)),
            ("suspend_reason", suspendReason.map(ActionState.Value.text)),
            ("replaced_by", (replacedBy?.description).map(ActionState.Value.text)),
            ("revoked_at", revokedAt.map(ActionState.Value.instant)),
            ("revoke_reason", revokeReason.map(ActionState.Value.text)),
        ])
    }
}

extension ActionState.Value {
    /// Whether an organization or a team may be used.
    fileprivate static func state(_ suspendedAt: Timestamp?) -> Self {
        .text(suspendedAt == nil ? "active" : "suspended")
    }
}
