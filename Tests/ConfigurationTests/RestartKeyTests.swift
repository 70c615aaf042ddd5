import Testing

@testable import TurnpikeConfiguration

@Suite struct RestartKeyTests {
    /// A line for every key that only a restart takes, unlike the one in the good file or its usual
    /// value.
    private static let changes: [(key: String, piece: String, other: String)] = [
        ("listen", "listen: 127.0.0.1:8080", "listen: 127.0.0.1:8090"),
        (
            "admin_listen", "listen: 127.0.0.1:8080",
            "listen: 127.0.0.1:8080\nadmin_listen: 127.0.0.1:9"
        ),
        ("admin_api", "key_prefix: sk-acme", "key_prefix: sk-acme\nadmin_api: off"),
        ("database", "postgres:///turnpike", "postgres:///other"),
        ("data_dir", "/var/lib/turnpike", "/var/lib/other"),
        ("pepper_file", "pepper_file: pepper", "pepper_file: salt"),
        ("pepper_id", "key_prefix: sk-acme", "key_prefix: sk-acme\npepper_id: 2"),
        (
            "other_pepper", "key_prefix: sk-acme",
            "key_prefix: sk-acme\nother_pepper: { file: salt, id: 2 }"
        ),
        ("key_prefix", "sk-acme", "sk-other"),
        (
            "reload_on_change", "key_prefix: sk-acme",
            "key_prefix: sk-acme\nreload_on_change: false"
        ),
        ("backends", "slots: 2", "slots: 3"),
        ("routing", "key_prefix: sk-acme", "key_prefix: sk-acme\nrouting: { attempts: 3 }"),
        (
            "engines", "key_prefix: sk-acme",
            "key_prefix: sk-acme\nengines: { team_weights: { a: 2 } }"
        ),
        ("limits", "key_prefix: sk-acme", "key_prefix: sk-acme\nlimits: { key_share_percent: 60 }"),
        (
            "idempotency", "key_prefix: sk-acme",
            "key_prefix: sk-acme\nidempotency: { stores_answers: true }"
        ),
        (
            "safeguards", "key_prefix: sk-acme",
            "key_prefix: sk-acme\nsafeguards: { judge: { model: demo, api_key_env: JUDGE } }"
        ),
        ("quota_warnings", "key_prefix: sk-acme", "key_prefix: sk-acme\nquota_warnings: [90]"),
        (
            "webhooks", "key_prefix: sk-acme",
            "key_prefix: sk-acme\nwebhooks: { ops: { url: https://a.example, secret_env: HOOK } }"
        ),
        ("events", "key_prefix: sk-acme", "key_prefix: sk-acme\nevents: { keep_days: 30 }"),
        ("log_level", "key_prefix: sk-acme", "key_prefix: sk-acme\nlog_level: error"),
        ("log_format", "key_prefix: sk-acme", "key_prefix: sk-acme\nlog_format: json"),
        ("drain_timeout", "key_prefix: sk-acme", "key_prefix: sk-acme\ndrain_timeout: 31s"),
        ("end_wait", "key_prefix: sk-acme", "key_prefix: sk-acme\nend_wait: 251ms"),
        (
            "heartbeat_interval", "key_prefix: sk-acme",
            "key_prefix: sk-acme\nheartbeat_interval: 2s"
        ),
        ("fence_after", "key_prefix: sk-acme", "key_prefix: sk-acme\nfence_after: 16s"),
        ("sweep_interval", "key_prefix: sk-acme", "key_prefix: sk-acme\nsweep_interval: 6s"),
    ]

    @Test("Each key but the catalog's is named when it differs, and nothing else is")
    func everyKey() throws {
        let running = try GoodFile.read(GoodFile.text)
        for change in Self.changes {
            let text = try GoodFile.text(replacing: change.piece, with: change.other)
            let next = try GoodFile.read(text, environment: ["JUDGE": "a key"])
            #expect(running.keysThatNeedARestart(in: next) == [change.key])
        }
        #expect(Set(Self.changes.map(\.key)).union(["models"]) == Set(ConfigurationKeys.root))
        let other = try GoodFile.text(
            replacing: "max_completion_tokens: 512", with: "max_completion_tokens: 256")
        #expect(running.keysThatNeedARestart(in: try GoodFile.read(other)).isEmpty)
    }
}
