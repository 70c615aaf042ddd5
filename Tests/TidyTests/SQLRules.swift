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
        "account", "lease", "node_lane", "reservation", "usage_record", "usage_rollup", "quota",
        "api_key", "team",
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
        name: "a statement on a ledger table names its shard",
        reason: "in a Postgres that shards, a statement without it asks every worker",
        check: { file in
            guard file.isSource, file.path.hasPrefix("Sources/Ledger/") else { return [] }
            return file.swift.literals.filter { literal in
                let words = literal.text
                guard words.contains(" ") else { return false }
                let isOnTable = words.matches(of: #/\b(?:FROM|INTO|UPDATE|JOIN)\s+(\w+)/#)
                    .contains { ledgerTables.contains(String($0.1)) }
                return isOnTable && !words.contains("shard")
            }.map(\.line)
        },
        bad: [
            TidyRule.sample(
                "Sources/Ledger/Statements/A.swift",
                "let a = \"SELECT name FROM team WHERE id = $1\"\n")
        ],
        good: [
            TidyRule.sample(
                "Sources/Ledger/Statements/A.swift",
                "let a = \"SELECT name FROM team WHERE shard = $1 AND id = $2\"\n")
        ])

    static let all = [place, star, shard]
}
