import Domain

/// Everything that the admin HTTP API does.
enum AdminRoutes {
    /// All routes.
    static let all: [AdminRoute] =
        organizations + teams + keys + quotas + books + actions + events + installation
        + adminKeys

    // MARK: What stands in paths

    static let organization = AdminField(
        name: "organization", kind: .text, meaning: "The organization's name.",
        spelling: .option("--organization"))
    static let team = AdminField(
        name: "team", kind: .text, meaning: "The team's name.", spelling: .option("--team"))
    static let key = AdminField(
        name: "key", kind: .text, meaning: "The key id.", spelling: .option("--key"))

    /// The same, by its place on the command line.
    static func placed(_ field: AdminField) -> AdminField {
        AdminField(
            name: field.name, kind: field.kind, meaning: field.meaning, spelling: .argument)
    }

    static let reason = AdminField.text(
        "reason", "Why, at most 256 bytes; for administrators only.")
    private static let newName = AdminField.argument("name", "Its new name, 1 to 64 bytes.")
        .required

    /// What organizations, teams and keys have in common: their life.
    private static func life<Noun: SubjectNoun>(
        _ noun: Noun.Type, at path: String, _ names: [AdminField], role: AdminRole,
        fields: [String], renames: Bool
    ) -> [AdminRoute] {
        func route(
            _ method: String, _ tail: String, _ summary: String, _ role: AdminRole,
            _ command: any AdminSubcommand.Type, _ body: [AdminField]?, always: [String] = []
        ) -> AdminRoute {
            AdminRoute(
                method: method, path: path + tail, summary: "\(summary) \(noun.title)", role: role,
                reach: .organization, command: command, answer: .one(fields), names: names,
                body: body, always: always)
        }
        let rename = route(
            "PATCH", "", "Rename one", role, SubjectRenameCommand<Noun>.self, [newName])
        return (renames ? [rename] : []) + [
            route(
                "POST", "/suspend", "Suspend one", role, SubjectSuspendCommand<Noun>.self, [reason]),
            route("POST", "/resume", "Resume one", role, SubjectResumeCommand<Noun>.self, []),
            route(
                "DELETE", "", "Delete one, with all that it has,", .owner,
                SubjectDeleteCommand<Noun>.self, nil, always: ["--yes"]),
        ]
    }

    // MARK: Organizations and teams

    private static let organizations: [AdminRoute] =
        [
            AdminRoute(
                method: "GET", path: "v1/organizations", summary: "List the organizations",
                role: .auditor, reach: .organizations, command: OrganizationCommand.List.self,
                answer: .page(OrganizationCommand.names, by: ["organization"])),
            AdminRoute(
                method: "POST", path: "v1/organizations", summary: "Create an organization",
                role: .owner, reach: .installation, command: OrganizationCommand.Create.self,
                answer: .one(OrganizationCommand.names),
                body: [.argument("name", "Its name, 1 to 64 bytes.").required],
                creation: .organization),
            AdminRoute(
                method: "GET", path: "v1/organizations/{organization}",
                summary: "Show one organization", role: .auditor, reach: .organization,
                command: SubjectShowCommand<OrganizationNoun>.self,
                answer: .one(OrganizationCommand.names), names: [placed(organization)]),
        ]
        + life(
            OrganizationNoun.self, at: "v1/organizations/{organization}", [placed(organization)],
            role: .owner, fields: OrganizationCommand.names, renames: true)

    private static let teamPath = "v1/organizations/{organization}/teams"

    private static let teams: [AdminRoute] =
        [
            AdminRoute(
                method: "GET", path: teamPath, summary: "List an organization's teams",
                role: .auditor, reach: .organization, command: TeamCommand.List.self,
                answer: .page(TeamCommand.names, by: ["team"]), names: [organization]),
            AdminRoute(
                method: "POST", path: teamPath, summary: "Create a team",
                role: .operator, reach: .organization, command: TeamCommand.Create.self,
                answer: .one(TeamCommand.names), names: [organization],
                body: [.argument("name", "Its name, 1 to 64 bytes.").required], creation: .team),
            AdminRoute(
                method: "GET", path: teamPath + "/{team}", summary: "Show one team",
                role: .auditor, reach: .organization, command: SubjectShowCommand<TeamNoun>.self,
                answer: .one(TeamCommand.names), names: [organization, placed(team)]),
        ]
        + life(
            TeamNoun.self, at: teamPath + "/{team}", [organization, placed(team)],
            role: .operator, fields: TeamCommand.names, renames: true)

    // MARK: Keys

    private static let keyPath = "v1/organizations/{organization}/keys"
    private static let oneKey = keyPath + "/{key}"
    private static let keyNames = [organization, placed(key)]
    /// What the answer to a creation says beside the usual: the secret, or why it is missing.
    private static let madeKey = ["key"] + KeyView.names + [secretNote]
    static let secretNote = "key_note"

    private static let terms: [AdminField] = [
        .list("models", "The models it may use; null for all.", null: "--all-models"),
        .list(
            "endpoints", "What it may call; null for everything.", null: "--all-endpoints",
            values: ["chat", "models", "usage"]),
        .texts("tags", "Tags, each name=value, at most 16.", as: "--tag"),
        .integer(
            "max_completion_tokens", "The bound on completion tokens where a request names none."
        ).null("--no-max-completion-tokens"),
        .text("expires", "When it stops being valid: a span such as 90d, or a date (UTC).")
            .null("--never-expires"),
    ]

    private static func flags(_ inverts: Bool) -> [AdminField] {
        [
            ("stream_usage", "Whether its streams end with their usage, unasked too."),
            ("mirror_reasoning", "Whether reasoning is told as reasoning too."),
            ("clamp", "Whether a bound that does not fit is made smaller instead of refused."),
        ].map { name, meaning in
            .flag(
                name, meaning,
                otherwise: inverts ? "--no-" + AdminField.option(name).dropFirst(2) : nil)
        }
    }

    /// The same fields for a new key, of which `null` says what is so anyway.
    private static let firstTerms: [AdminField] = {
        var fields: [AdminField] = [
            AdminField.text("team", "The team it is for.").required,
            AdminField.text("name", "What to call it, 1 to 64 bytes.").required,
        ]
        for var field in terms + flags(false) {
            field.null = nil
            fields.append(field)
        }
        return fields
    }()

    private static let changes: [AdminField] =
        terms + [.texts("untag", "Names of tags to take away.")] + flags(true)

    private static let keys: [AdminRoute] =
        [
            AdminRoute(
                method: "GET", path: keyPath, summary: "List an organization's keys",
                role: .auditor, reach: .organization, command: KeyCommand.List.self,
                answer: .page(KeyView.names, by: ["key_id"]), names: [organization],
                query: [
                    .text("team", "Only this team's keys."),
                    .flag("all", "Revoked and expired keys too."),
                    .flag("revoked", "Revoked keys alone."),
                    .integer("pepper", "Only keys whose digest is under this pepper."),
                ]),
            AdminRoute(
                method: "POST", path: keyPath, summary: "Make a key; its secret is told this once",
                role: .operator, reach: .organization, command: KeyCreateCommand.self,
                answer: .one(madeKey), names: [organization],
                body: firstTerms, creation: .key),
            AdminRoute(
                method: "GET", path: oneKey, summary: "Show one key", role: .auditor,
                reach: .organization, command: KeyCommand.Show.self, answer: .one(KeyView.names),
                names: keyNames),
            AdminRoute(
                method: "PATCH", path: oneKey, summary: "Change what a key may do",
                role: .operator, reach: .organization, command: KeyUpdateCommand.self,
                answer: .one(KeyView.names), names: keyNames, body: changes),
            AdminRoute(
                method: "POST", path: oneKey + "/rename", summary: "Rename one key",
                role: .operator, reach: .organization, command: SubjectRenameCommand<KeyNoun>.self,
                answer: .one(KeyView.names), names: keyNames, body: [newName]),
            AdminRoute(
                method: "POST", path: oneKey + "/rotate",
                summary: "Make a key's next secret; the one before ends later",
                role: .operator, reach: .organization, command: KeyRotateCommand.self,
                answer: .one(madeKey), names: keyNames,
                body: [.text("grace", "For how long the one before still works, such as 24h.")],
                creation: .key),
            AdminRoute(
                method: "POST", path: oneKey + "/finish",
                summary: "End the secret that a rotation replaces, at once",
                role: .operator, reach: .organization, command: KeyRotateCommand.self,
                answer: .one(KeyView.names), names: keyNames, body: [], always: ["--finish"]),
            AdminRoute(
                method: "POST", path: oneKey + "/revoke", summary: "End a key for good",
                role: .operator, reach: .organization, command: KeyRevokeCommand.self,
                answer: .one(KeyView.names), names: keyNames, body: [reason], always: ["--yes"]),
        ]
        + life(
            KeyNoun.self, at: oneKey, keyNames, role: .operator, fields: KeyView.names,
            renames: false)
}
