import Domain

/// An organization, a team or a key as people and programs see it.
enum SubjectView {
    /// For programs.
    static func record(_ subject: SubjectEntry) -> Record {
        switch subject {
        case .organization(let organization): OrganizationCommand.record(organization)
        case .team(let team, let organization): TeamCommand.record(team, organization)
        case .key(let key, let organization): KeyView.record(key, organization)
        }
    }

    /// For people. `contents` is what it has, such as `3 teams`.
    static func details(
        _ subject: SubjectEntry, contents: String
    ) -> [(name: String, value: String)] {
        switch subject {
        case .organization(let organization):
            [("Organization", organization.name), ("Has", contents)]
                + state(organization.suspendedAt, organization.suspendReason)
                + [("Created", TimeText.short(organization.createdAt))]
        case .team(let team, let organization):
            [("Team", team.name), ("Organization", organization.name), ("Has", contents)]
                + state(team.suspendedAt, team.suspendReason)
                + [("Created", TimeText.short(team.createdAt))]
        case .key(let key, let organization): KeyView.details(key, organization)
        }
    }

    /// Whether it is suspended, in one word.
    static func word(_ suspendedAt: Timestamp?) -> String {
        suspendedAt == nil ? "active" : "suspended"
    }

    private static func state(
        _ suspendedAt: Timestamp?, _ reason: String?
    ) -> [(name: String, value: String)] {
        guard let suspendedAt else { return [("State", "active")] }
        return [("State", "suspended since \(TimeText.short(suspendedAt))")]
            + (reason.map { [("Reason", $0)] } ?? [])
    }
}
