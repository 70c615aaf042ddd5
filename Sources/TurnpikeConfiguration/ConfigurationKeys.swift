/// Every key that a configuration file may hold, by section. What is not listed here is refused by
/// name, and the example file shows every one.
enum ConfigurationKeys {
    /// The top of the file.
    static let root = [
        "listen", "admin_listen", "admin_api", "database", "data_dir", "pepper_file", "pepper_id",
        "other_pepper", "key_prefix", "reload_on_change", "backends", "engines", "models",
        "routing", "limits", "idempotency", "safeguards", "quota_warnings",
        "webhooks", "events", "log_level", "log_format",
        "drain_timeout", "end_wait", "heartbeat_interval", "fence_after", "sweep_interval",
    ]

    /// A second pepper.
    static let otherPepper = ["file", "id"]

    /// A backend of kind `local_engine`.
    static let localEngine = [
        "kind", "model_file", "slots", "context_tokens", "threads", "command", "extra_arguments",
        "queue_length", "queue_timeout", "start", "idle_unload", "memory_megabytes",
    ]

    /// What the local engines share.
    static let engines = ["team_weights", "memory_budget_megabytes"]

    /// A backend of kind `openai`.
    static let openAI =
        [
            "kind", "base_url", "api_key_env", "server", "max_tokens_field", "several_choices",
            "extra_parameters",
        ] + connection

    /// A backend of kind `anthropic`.
    static let anthropic =
        [
            "kind", "base_url", "api_key_env", "anthropic_version", "thinking", "thinking_budgets",
            "sampling_parameters",
        ] + connection

    /// How an upstream of either kind is reached.
    private static let connection = [
        "allow_private_addresses", "allow_addresses", "ca_file", "proxy", "http2", "timeouts",
    ]

    /// Tokens of thinking, by effort.
    static let thinkingBudgets = ["minimal", "low", "medium", "high", "xhigh", "max"]

    /// The waits of an upstream.
    static let timeouts = ["connect", "first_byte", "idle", "total"]

    /// A model alias.
    static let model = [
        "backends", "upstream_model", "context_tokens", "max_completion_tokens", "image_tokens",
        "audio_tokens_per_second", "video_tokens", "file_tokens", "file_ids", "price",
        "service_tiers", "prompt_overhead", "audio_output", "web_search", "retired",
        "shadow", "max_temperature",
    ]

    /// Who gets copies of a model's requests.
    static let shadow = ["backend", "percent", "upstream_model"]

    /// A backend of a model, where more than its name is said.
    static let target = ["name", "weight", "upstream_model"]

    /// How requests are tried again.
    static let routing = [
        "attempts", "request_deadline", "backoff", "longest_backoff", "retry_percent",
        "retry_floor", "breaker", "shows_backends", "shadow_api_key_env", "shadow_calls",
    ]

    /// When a backend is left alone.
    static let breaker = [
        "window", "minimum_calls", "failure_percent", "consecutive_failures", "open_time",
        "longest_open_time",
    ]

    /// How a model speaks its answers.
    static let audioOutput = ["history_tokens", "price"]

    /// How a model searches the web.
    static let webSearch = ["prompt_tokens", "usd_per_request"]

    /// A model's price.
    static let price = [
        "prompt_usd_per_mtok", "cached_usd_per_mtok", "cache_write_usd_per_mtok",
        "completion_usd_per_mtok", "audio_prompt_usd_per_mtok", "audio_completion_usd_per_mtok",
    ]

    /// What a model's backends add to a prompt.
    static let overhead = ["request", "message", "tools", "tool", "format"]

    /// What one client may ask of the gateway.
    static let limits = ["max_body_bytes", "max_choices", "key_share_percent"]

    /// Requests that come with an `Idempotency-Key`.
    static let idempotency = ["stores_answers"]

    /// Checks that a service or a model makes.
    static let safeguards = ["judge", "analyzer"]

    /// The model that judges texts.
    static let judge = ["model", "api_key_env", "max_completion_tokens"]

    /// The service that finds personal data.
    static let analyzer = ["base_url", "language", "minimum_score", "timeout"]

    /// A receiver of events.
    static let webhook = [
        "url", "secret_env", "organization", "events", "timeout", "attempts", "backoff",
        "longest_backoff", "allow_private_addresses", "allow_addresses", "ca_file",
    ]

    /// How long events are kept.
    static let events = ["keep_days", "keep_dead_days"]

    /// All of them with their way from the top; `*` stands for a name the file chooses.
    static var all: Set<String> {
        Set(
            root + localEngine.map { "backends.*.\($0)" } + openAI.map { "backends.*.\($0)" }
                + anthropic.map { "backends.*.\($0)" }
                + otherPepper.map { "other_pepper.\($0)" }
                + engines.map { "engines.\($0)" } + ["engines.team_weights.*"]
                + thinkingBudgets.map { "backends.*.thinking_budgets.\($0)" }
                + timeouts.map { "backends.*.timeouts.\($0)" } + model.map { "models.*.\($0)" }
                + target.map { "models.*.backends.\($0)" } + routing.map { "routing.\($0)" }
                + shadow.map { "models.*.shadow.\($0)" }
                + breaker.map { "routing.breaker.\($0)" }
                + price.flatMap { key in
                    ["price", "service_tiers.*", "audio_output.price"].map {
                        "models.*.\($0).\(key)"
                    }
                }
                + audioOutput.map { "models.*.audio_output.\($0)" }
                + webSearch.map { "models.*.web_search.\($0)" }
                + overhead.map { "models.*.prompt_overhead.\($0)" } + limits.map { "limits.\($0)" }
                + idempotency.map { "idempotency.\($0)" } + safeguards.map { "safeguards.\($0)" }
                + webhook.map { "webhooks.*.\($0)" } + events.map { "events.\($0)" }
                + judge.map { "safeguards.judge.\($0)" }
                + analyzer.map { "safeguards.analyzer.\($0)" })
    }
}
