/// Where SQL stands, and what it must say.
enum SQLRules {
    private static let places = [
        "Sources/Ledger/Statements/", "Sources/Ledger/Directory/", "Sources/Ledger/Reports/",
        "Sources/Ledger/Migrator/",
        // A session's own settings and the end of its transactions; no table is named.
        "Sources/Postgres/",
        // Makes the database before there is a ledger in it.
        "Sources/Turnpike/PrivatePostgres/PrivatePostgres.swift",
    ]

    /// Tables whose rows belong to one organization, and so to its shard.
    private static let ledgerTables = [
        "account", "admin_action", "admin_creation", "admin_key", "api_key", "backend",
        "event_delivery",
        "idempotent_answer", "idempotent_node",
        "idempotent_request", "key_use", "lease", "model", "node_lane", "organization", "price",
        "price_change", "price_correction", "quota", "quota_event", "rate_bucket", "rate_limit",
        "request_attempt",
        "reservation", "sealed_account",
        "sealed_day",
        "repriced_account", "repriced_account_adj", "sealed_end", "sealed_key", "subject_model",
        "team", "usage",
        "usage_adj",
        "usage_audio", "usage_hour", "usage_user",
    ]

    static let place = TidyRule(
        name: "SQL stands only where statements are kept",
        reason: "every statement has its lock order and its index written above it, in one folder",
        check: { file in
            guard file.isSource, !file.isIn(places) else { return [] }
            let pattern =
                #/\b(SELECT\s+[\w$*(]|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|(CREATE|DROP|ALTER|TRUNCATE)\s+(TABLE|INDEX|DATABASE)\b)/#
            return file.swift.literals.filter { $0.text.firstMatch(of: pattern) != nil }.map(\.line)
        },
        bad: [
            TidyRule.sample("Sources/Ledger/Node/A.swift", "let a = \"SELECT b FROM c\"\n"),
            TidyRule.sample(
                "Sources/Admin/A.swift", "let a = \"\"\"\n    DELETE FROM team\n    \"\"\"\n"),
        ],
        good: [
            TidyRule.sample("Sources/Ledger/Statements/A.swift", "let a = \"SELECT b FROM c\"\n"),
            TidyRule.sample(
                "Sources/Ledger/Node/A.swift", "// SELECT b FROM c\nlet a = \"Select one\"\n"),
        ])

    static let star = TidyRule(
        name: "no SELECT *",
        reason: "a new column must not change what a running program reads",
        check: { file in
            guard file.isSource else { return [] }
            return file.swift.literals
                .filter { $0.text.firstMatch(of: #/(?i)\bSELECT\s+(\w+\.)?\*/#) != nil }.map(\.line)
        },
        bad: [
            TidyRule.sample("Sources/Ledger/Statements/A.swift", "let a = \"SELECT * FROM b\"\n"),
            TidyRule.sample(
                "Sources/Ledger/Statements/A.swift", "let a = \"select t.* from b t\"\n"),
        ],
        good: [
            TidyRule.sample(
                "Sources/Ledger/Statements/A.swift", "let a = \"SELECT count(*) FROM b\"\n")
        ])

    static let shard = TidyRule(
        name: "every ledger table in a statement is bound to its shard",
        reason: "in a Postgres that shards, a statement without it asks every worker",
        check: { file in
            guard file.isSource, file.path.hasPrefix("Sources/Ledger/") else { return [] }
            let table = #/\b(?:FROM|JOIN|USING|UPDATE)\s+(\w+)(?:\s+(?:AS\s+)?([a-z]\w*))?/#
            return file.swift.literals.filter { literal in
                let words = literal.text
                guard words.contains(" "), !PortabilityRules.isExcepted(literal, in: file)
                else { return false }
                let isUnbound = words.matches(of: table).contains { match in
                    guard ledgerTables.contains(String(match.1)) else { return false }
                    let name = String(match.2 ?? match.1)
                    return !isBound(name, in: words, bare: match.2 == nil)
                }
                let inserts = words.matches(of: #/INSERT INTO (\w+)\s*\(\s*(\w+)/#)
                return isUnbound
                    || inserts.contains {
                        ledgerTables.contains(String($0.1)) && $0.2 != "shard"
                    }
            }.map(\.line)
        },
        bad: [
            TidyRule.sample(
                "Sources/Ledger/Statements/A.swift",
                "let a = \"SELECT name FROM team WHERE id = $1\"\n"),
            TidyRule.sample(
                "Sources/Ledger/Statements/A.swift",
                "let a = \"SELECT 1 FROM team t JOIN lease l ON l.id = t.id WHERE t.shard = $1\"\n"),
            TidyRule.sample(
                "Sources/Ledger/Statements/A.swift",
                "let a = \"INSERT INTO team (id, shard) VALUES ($1, $2)\"\n"),
        ],
        good: [
            TidyRule.sample(
                "Sources/Ledger/Statements/A.swift",
                "let a = \"SELECT name FROM team WHERE shard = $1 AND id = $2\"\n"),
            TidyRule.sample(
                "Sources/Ledger/Statements/A.swift",
                "let a = \"SELECT 1 FROM team t JOIN lease l ON l.shard = $1 AND t.shard = $1\"\n"),
        ])

    /// Whether `words` compare the shard of the table or alias `name` with something; where the
    /// table stands without an alias, `shard` alone will do.
    private static func isBound(_ name: String, in words: String, bare: Bool) -> Bool {
        let compares = ["=", "BETWEEN", "IN"]
        return words.matches(of: #/(?:(\w+)\.)?shard\s+(=|BETWEEN|IN)\s/#).contains { match in
            compares.contains(String(match.2)) && (match.1.map { $0 == name } ?? bare)
        } || words.contains("= \(name).shard")
    }

    static let all = [place, star, shard]
}
