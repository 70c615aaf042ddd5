import Domain
import Ledger

extension AdminRoutes {
    // MARK: Quotas

    private static let amounts: [AdminField] = [
        .texts("tokens", "Tokens per day, month or total, such as 1000000/day."),
        .texts(
            "requests", "Requests per day, month or total, or a rate such as 600/minute."),
        .texts("cost", "Cost per day, month or total, such as 50usd/month."),
        .text("tokens_rate", "A rate of tokens, such as 200000/minute."),
        .integer("concurrent", "Requests in progress at once."),
        .text("model", "Count the requests for this model alias alone."),
        .flag("yes", "Set it also for a model that no gateway serves yet."),
        .text(
            "outage", "Whether the quotas named here ride outages of the ledger.",
            values: ["ride", "refuse"]),
        .flag(
            "soft", "Whether the quotas named here only warn; false makes them hard.",
            otherwise: "--hard"),
    ]

    private static let periods: [AdminField] = [
        .texts("tokens", "Periods: day, month or total."),
        .texts("requests", "Periods: day, month, total or minute."),
        .texts("cost", "Periods: day, month or total."),
        .flag("tokens_rate", "The rate of tokens."),
        .flag("concurrent", "The number of requests at once."),
        .text("model", "What is set for this model alias."),
        .flag("all", "Everything there is."),
    ]

    static let quotas: [AdminRoute] =
        quotas("v1/organizations/{organization}", "an organization", [organization])
        + quotas("v1/organizations/{organization}/teams/{team}", "a team", [organization, team])
        + quotas("v1/organizations/{organization}/keys/{key}", "a key", [organization, key])
        + [check]

    private static func quotas(
        _ path: String, _ whose: String, _ names: [AdminField]
    ) -> [AdminRoute] {
        [
            AdminRoute(
                method: "GET", path: path + "/quotas", summary: "Show what limits \(whose)",
                role: .auditor, reach: .organization, command: QuotaCommand.Show.self,
                answer: .rows(AllowanceView.names), names: names),
            AdminRoute(
                method: "PATCH", path: path + "/quotas",
                summary: "Set quotas and rate limits of \(whose): all that are named, or none",
                role: .operator, reach: .organization, command: QuotaCommand.Set.self,
                answer: .rows(AllowanceView.names), names: names, body: amounts),
            AdminRoute(
                method: "POST", path: path + "/quotas/clear",
                summary: "Take quotas and rate limits of \(whose) away",
                role: .operator, reach: .organization, command: QuotaClearCommand.self,
                answer: .rows(AllowanceView.names), names: names, body: periods,
                always: ["--yes"]),
        ]
    }

    private static let check = AdminRoute(
        method: "GET", path: "v1/organizations/{organization}/keys/{key}/quotas/check",
        summary: "Tell whether a request would pass, and what blocks it",
        role: .auditor, reach: .organization, command: QuotaCheckCommand.self,
        answer: .verdict(AllowanceCheck.names), names: [organization, key],
        query: [
            AdminField.text("tokens", "Tokens of the prompt and of the longest answer.").required,
            .text("cost", "What that costs at most, such as 0.25usd."),
            .text("model", "The model asked for."),
        ])

    // MARK: Reports of an organization

    private static let usageNames: [String] = {
        let all = [UsageQuery.Grouping.day, .hour, .month, .model, .team, .key, .tag, .endState]
            .flatMap { UsageView.names($0, comparing: true) }
        return all.reduce(into: []) { names, name in
            if !names.contains(name) { names.append(name) }
        }
    }()

    static let books: [AdminRoute] = [
        AdminRoute(
            method: "GET", path: "v1/organizations/{organization}/usage",
            summary: "Review what was used", role: .auditor, reach: .organization,
            command: UsageCommand.self, answer: .rows(usageNames), names: [organization],
            query: [
                .text("team", "Only this team's keys."), .text("key", "Only this key."),
                .text("tag", "Only keys with this tag: name=value."),
                .text("since", "The beginning: 7d, 24h or a date."),
                .text("until", "The end, likewise."),
                .text("time_zone", "Whose days and hours: such as Europe/Berlin."),
                .text(
                    "by", "What a row stands for.",
                    values: ["day", "hour", "month", "model", "team", "key", "tag", "end-state"]),
                .integer("top", "Only so many of the largest rows."),
                .text(
                    "rank", "By what rows are measured.",
                    values: ["tokens", "cost", "requests", "failed"]),
                .flag("compare", "Set it against the span of the same length before."),
            ]),
        AdminRoute(
            method: "GET", path: "v1/organizations/{organization}/statement",
            summary: "Show usage and balances as they were at an instant", role: .auditor,
            reach: .organization, command: StatementCommand.self,
            answer: .rows(StatementView.names), names: [organization],
            query: [
                .text("team", "A team's."), .text("key", "A key's."),
                .text("at", "The instant: a date, or so long ago."),
                .text("since", "The beginning of the usage."),
            ]),
        AdminRoute(
            method: "GET", path: "v1/organizations/{organization}/requests/{request}",
            summary: "Tell one request's story", role: .auditor, reach: .organization,
            command: ExplainCommand.self, answer: .one(storyNames),
            names: [
                organization,
                .argument("request", "Its id: req_…, chatcmpl-… or a UUID."),
            ]),
    ]

    private static let storyNames = [
        "request_id", "state", "organization", "team", "key", "key_name", "model", "backend",
        "price_version", "price_prompt_nanousd", "price_cached_nanousd",
        "price_cache_write_nanousd", "price_completion_nanousd", "price_audio_prompt_nanousd",
        "price_audio_completion_nanousd", "price_search_fee_nanousd", "prompt_bound",
        "completion_bound", "cost_bound_nanousd", "prompt_tokens", "cached_tokens",
        "cache_write_tokens", "completion_tokens", "reasoning_tokens", "audio_prompt_tokens",
        "audio_completion_tokens", "charged_tokens", "overage_tokens", "cost_nanousd",
        "corrected_cost_nanousd", "basis", "end_state", "admitted_at", "settled_at",
        "first_token_us", "duration_us", "user_hash", "node", "attempts", "price_corrections",
        "accounts",
    ]

    // MARK: The whole installation

    private static let model = AdminField.argument("model", "The model alias.")
    private static let price: [AdminField] = [
        .amount("prompt", "Prompt tokens, dollars per million."),
        .amount("cached", "Prompt tokens read from a cache."),
        .amount("cache_write", "Prompt tokens written to a cache."),
        .amount("completion", "Completion tokens."),
        .amount("audio_prompt", "Prompt tokens of audio."),
        .amount("audio_completion", "Completion tokens of sound."),
        .amount("search_fee", "Each search of the web, beside its tokens."),
        .text("tier", "The price of a service tier instead of the usual one."),
        .flag("speech", "The price of spoken answers."),
    ]

    static let installation: [AdminRoute] = [
        AdminRoute(
            method: "GET", path: "v1/models",
            summary: "List the models and the prices that are in force", role: .auditor,
            reach: .common, command: ModelCommand.List.self, answer: .rows(PriceView.names)),
        AdminRoute(
            method: "GET", path: "v1/models/{model}/prices",
            summary: "Show every price that a model ever had, the newest first", role: .auditor,
            reach: .common, command: ModelCommand.Show.self, answer: .rows(PriceView.names),
            names: [model]),
        AdminRoute(
            method: "POST", path: "v1/models/{model}/prices",
            summary: "Put a new version of a model's price in force", role: .operator,
            reach: .installation, command: ModelPriceCommand.Set.self,
            answer: .rows(PriceView.names), names: [model], body: price),
        AdminRoute(
            method: "POST", path: "v1/models/{model}/prices/clear",
            summary: "Take a model's price away", role: .operator, reach: .installation,
            command: ModelPriceCommand.Clear.self, answer: .rows(PriceView.names), names: [model],
            body: [
                .flag("search", "The fee of a search."),
                .text("tier", "The price of a service tier."),
                .flag("speech", "The price of spoken answers."),
            ], always: ["--yes"]),
        AdminRoute(
            method: "GET", path: "v1/nodes", summary: "List the gateways", role: .auditor,
            reach: .installation, command: NodeCommand.List.self, answer: .rows(NodeView.names),
            query: [.flag("all", "Nodes that are gone and left nothing, too.")]),
        AdminRoute(
            method: "POST", path: "v1/nodes/{node}/write-off",
            summary: "Give back what is kept for a node that will never return", role: .owner,
            reach: .installation, command: NodeCommand.WriteOffCommand.self,
            answer: .one([
                "node_id", "swept_requests", "ended_leases", "returned_tokens",
                "returned_requests", "returned_cost_nanousd",
            ]), names: [.argument("node", "The node's number.")], body: [], always: ["--yes"]),
        AdminRoute(
            method: "GET", path: "v1/audit", summary: "Prove the books", role: .auditor,
            reach: .installation, command: AuditCommand.self, answer: .verdict(AuditView.names),
            query: [
                .text("organization", "Only the shard that holds this organization."),
                .flag("complete", "Read every record."),
            ]),
        AdminRoute(
            method: "POST", path: "v1/retention",
            summary: "Drop the usage records of old days, totals kept", role: .owner,
            reach: .installation, command: RetentionCommand.self,
            answer: .verdict(["day", "records"]),
            body: [
                AdminField.integer("keep_days", "Whole days to keep before today, at least 2.")
                    .required
            ], always: ["--yes"]),
    ]

    // MARK: The keys of this API

    static let adminKeys: [AdminRoute] = [
        AdminRoute(
            method: "GET", path: "v1/admin-keys", summary: "List the keys of this API",
            role: .owner, reach: .adminKeys, command: AdminKeyCommand.List.self,
            answer: .page(AdminKeyView.names, by: ["created_at", "admin_key_id"]),
            query: [
                .flag("all", "Revoked and expired keys too."),
                .text("organization", "Only keys bound to this organization."),
            ]),
        AdminRoute(
            method: "POST", path: "v1/admin-keys",
            summary: "Make a key of this API; its secret is told this once", role: .owner,
            reach: .adminKeys, command: AdminKeyCommand.Create.self,
            answer: .one(["key"] + AdminKeyView.names + [secretNote]),
            body: [
                AdminField.text("name", "What to call it, 1 to 64 bytes.").required,
                AdminField.text(
                    "role", "What its holder may do.", values: ["owner", "operator", "auditor"]
                ).required,
                .text("organization", "The one organization that it may see."),
                .text("expires", "When it stops being valid: a span such as 90d, or a date."),
            ], creation: .adminKey),
        AdminRoute(
            method: "POST", path: "v1/admin-keys/{admin_key}/revoke",
            summary: "End a key of this API for good", role: .owner, reach: .adminKeys,
            command: AdminKeyCommand.Revoke.self, answer: .one(AdminKeyView.names),
            names: [.argument("admin_key", "The key id.")], body: [], always: ["--yes"]),
    ]
}
