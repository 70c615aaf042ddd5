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
        + replays("v1/organizations/{organization}", "an organization", [organization])
        + replays("v1/organizations/{organization}/teams/{team}", "a team", [organization, team])
        + replays("v1/organizations/{organization}/keys/{key}", "a key", [organization, key])

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

    private static func replays(
        _ path: String, _ whose: String, _ names: [AdminField]
    ) -> [AdminRoute] {
        [
            AdminRoute(
                method: "GET", path: path + "/quotas/replay",
                summary: "Try a limit of \(whose) on the past: what it would have refused",
                role: .auditor, reach: .organization, command: QuotaReplayCommand.self,
                answer: .rows(ReplayView.names), names: names,
                query: [
                    .text("tokens", "Tokens per day, month or total, such as 500000/day."),
                    .text("requests", "Requests per day, month or total."),
                    .text("cost", "Cost per day, month or total, such as 50usd/month."),
                    .text("model", "Requests for this model alias alone."),
                    .text("since", "The beginning: 7d, 24h or a date. Without it: 7d."),
                    .text("until", "The end, likewise."),
                    .flag("soft", "Try it as a soft quota, which only warns."),
                ])
        ]
    }

    // MARK: Reports of an organization

    private static let usageNames: [String] = {
        let all = [UsageQuery.Grouping.day, .hour, .month, .model, .team, .key, .tag, .endState]
            .flatMap { UsageView.names($0, comparing: true) }
        return all.reduce(into: []) { names, name in
            if !names.contains(name) { names.append(name) }
        }
    }()

    private static let latencyNames: [String] = {
        let all = [UsageQuery.Grouping.day, .hour, .month, .model, .team, .key, .tag, .endState]
            .flatMap(UsageLatencyView.names)
        return all.reduce(into: []) { names, name in
            if !names.contains(name) { names.append(name) }
        }
    }()

    private static let span: [AdminField] = [
        .text("team", "Only this team's keys."), .text("key", "Only this key."),
        .texts("tag", "Only keys with this tag, name=value; given again, with that too."),
        .text("since", "The beginning: 7d, 24h or a date."),
        .text("until", "The end, likewise."),
        .text("time_zone", "Whose days and hours: such as Europe/Berlin."),
    ]
    private static let by = AdminField.text(
        "by", "What a row stands for.",
        values: ["day", "hour", "month", "model", "team", "key", "tag", "end-state"])

    static let books: [AdminRoute] = [
        AdminRoute(
            method: "GET", path: "v1/organizations/{organization}/usage",
            summary: "Review what was used", role: .auditor, reach: .organization,
            command: UsageCommand.self, answer: .rows(usageNames), names: [organization],
            query: span + [
                by, .integer("top", "Only so many of the largest rows."),
                .text(
                    "rank", "By what rows are measured.",
                    values: ["tokens", "cost", "requests", "failed"]),
                .flag("compare", "Set it against the span of the same length before."),
            ]),
        AdminRoute(
            method: "GET", path: "v1/organizations/{organization}/usage/latency",
            summary: "Tell how long requests took", role: .auditor,
            reach: .organization, command: UsageCommand.self, answer: .rows(latencyNames),
            names: [organization], query: span + [by], always: ["--latency"]),
        AdminRoute(
            method: "GET", path: "v1/organizations/{organization}/usage/export",
            summary: "Write every record of a span, one line for each request", role: .auditor,
            reach: .organization, command: UsageExportCommand.self,
            answer: .stream(ExportView.names), names: [organization], query: span + [.format]),
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

    private static let repricing: [AdminField] = [
        AdminField.text("since", "From when on: a span such as 7d, or a date.").required,
        .text("until", "Until when. Without it: now."),
        AdminField.amount("price_version", "The version, as the model's prices have it.").required,
        .texts("replacing", "Other versions to replace."),
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
            method: "GET", path: "v1/models/{model}/reprice",
            summary: "Show what another version of a price would change of the past",
            role: .auditor, reach: .installation, command: ModelRepriceCommand.self,
            answer: .rows(RepriceView.names), names: [model], query: repricing),
        AdminRoute(
            method: "POST", path: "v1/models/{model}/reprice",
            summary: "Price requests of the past by another version", role: .operator,
            reach: .installation, command: ModelRepriceCommand.self,
            answer: .one([
                "records", "difference_nanousd", "quota_difference_nanousd", "waiting_accounts",
                "waiting_nanousd",
            ]), names: [model], body: repricing, always: ["--yes"]),
        AdminRoute(
            method: "POST", path: "v1/reconcile",
            summary: "Hold a provider's usage export, which is the body, against the ledger",
            role: .auditor, reach: .installation, command: ReconcileCommand.self,
            answer: .verdict(ReconcileView.names),
            query: [
                .texts("backend", "A backend that the provider's account pays for; repeatable."),
                .text("by", "Compare by day or hour.", values: ["day", "hour"]),
                .text("since", "The beginning: 7d or a date. Without it: the export's."),
                .text("until", "The end, likewise."),
                .text(
                    "tolerance",
                    "How far amounts may be apart: 25 for requests and tokens, or 0.5%."),
                .texts(
                    "model", "What a name in the export stands for, theirs=ours; repeatable."),
            ], takesFile: true),
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
            answer: .page(AdminKeyView.names, by: ["admin_key_id"]),
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
