/// What SQL must not say, so that the ledger runs on a Postgres that shards: ledger.md §6, as far
/// as text can tell.
enum PortabilityRules {
    private static let folders = [
        "Sources/Ledger/Statements/", "Sources/Ledger/Directory/", "Sources/Ledger/Reports/",
        "Sources/Ledger/Migrator/",
    ]

    /// A place that may break a rule, by a piece of its text, and why.
    private struct Exception {
        let file: String
        let piece: String
        let why: String
    }

    // Each is administration of the whole database, never a request's path, but for the last three,
    // which lock one row of one shard, or several in the order of their key.
    private static let exceptions = [
        Exception(
            file: "MigrationStatements.swift", piece: "pg_advisory_xact_lock",
            why: "two migrators must take turns before there is any table to lock"),
        Exception(
            file: "RetentionStatements.swift", piece: "pg_advisory_xact_lock",
            why: "one retention at a time; partitions are Postgres' own"),
        Exception(
            file: "0003_seals.sql", piece: "LOCK TABLE ONLY %I IN SHARE MODE",
            why: "holds one old partition while it is dropped; partitions are Postgres' own"),
        Exception(
            file: "RetentionStatements.swift", piece: "SELECT shard, count(*) FROM usage",
            why: "asks which shards a day's partition holds"),
        Exception(
            file: "AuditSealStatements.swift", piece: "SELECT shard FROM organization UNION",
            why: "asks which shards there are"),
        Exception(
            file: "LaneStatements.swift", piece: "SELECT shard FROM directory_revision",
            why: "asks which shards there are, one row for each"),
        Exception(
            file: "SweepStatements.swift", piece: "ORDER BY r.request_id LIMIT 500 FOR UPDATE",
            why: "rows of one shard in the order of the primary key, so that two sweepers queue"),
        Exception(
            file: "IdempotencyStatements.swift", piece: "i.name_digest LIMIT $2 FOR UPDATE",
            why: "rows of one shard in one order on all nodes, so that two that forget queue"),
        Exception(
            file: "IdempotencyStatements.swift", piece: "a.request_id LIMIT $2 FOR UPDATE",
            why: "rows of one shard in one order on all nodes, so that two that forget queue"),
        Exception(
            file: "0006_lane_counts.sql",
            piece: "LOCK TABLE usage_default IN ACCESS EXCLUSIVE MODE",
            why: "moves stray rows into the partition of their day; partitions are Postgres' own"),
        Exception(
            file: "GrowStatement.swift", piece: "q.period = $6 FOR SHARE OF q",
            why: "one row by its whole key, which is not one id"),
        Exception(
            file: "AllowanceStatements.swift", piece: "q.period = $5 FOR SHARE",
            why: "one row by its whole key, which is not one id"),
    ]

    /// The literals of a file that hold SQL, or the whole of a migration.
    private static func statements(in file: TidyFile) -> [SwiftText.Literal] {
        let found: [SwiftText.Literal]
        if file.path.hasPrefix("db/migrations/") {
            found = migration(file)
        } else if file.isIn(folders) {
            found = file.swift.literals
                .filter {
                    $0.text.firstMatch(of: #/\b(SELECT|INSERT|UPDATE|DELETE|CREATE)\b/#) != nil
                }
        } else {
            found = []
        }
        return found.filter { literal in
            let words = literal.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return !exceptions.contains {
                file.path.hasSuffix($0.file) && words.contains($0.piece)
            }
        }
    }

    /// A migration's commands, without comments, each with its line.
    private static func migration(_ file: TidyFile) -> [SwiftText.Literal] {
        var commands: [SwiftText.Literal] = []
        for (index, line) in file.lines.enumerated() {
            let code = line.firstRange(of: "--").map { line[..<$0.lowerBound] } ?? line[...]
            if code.allSatisfy(\.isWhitespace) { continue }
            if commands.isEmpty || commands[commands.count - 1].text.hasSuffix(";") {
                commands.append(SwiftText.Literal(line: index + 1, text: String(code)))
            } else {
                commands[commands.count - 1].text += "\n" + code
            }
        }
        return commands
    }

    static let words = TidyRule(
        name: "SQL uses nothing that a Postgres that shards lacks or refuses",
        reason: "ledger.md 6.3, 6.5, 6.6 and 6.9: no volatile clock, sequence, lock or trigger",
        check: { file in
            let clocks = "clock_timestamp|timeofday|random|gen_random_uuid|nextval|currval"
            let lacking =
                #/(?i)\b(CURRENT_(DATE|TIME|TIMESTAMP)|LOCALTIME(STAMP)?|(BIG|SMALL)?SERIAL\d?|IDENTITY|SEQUENCE|TRIGGER|CREATE\s+RULE|LISTEN|NOTIFY|LOCK\s+TABLE|pg_(try_)?advisory\w+|pg_notify|TEMP(ORARY)?\s+TABLE|DEFERRABLE|EXCLUDE\s+USING|SKIP\s+LOCKED|NOWAIT)\b/#
            guard let calls = try? Regex("(?i)\\b(\(clocks))\\s*\\(") else { return [1] }
            return statements(in: file).filter {
                $0.text.contains(lacking) || $0.text.contains(calls)
            }.map(\.line)
        },
        bad: [
            statement("UPDATE lease SET at = clock_timestamp() WHERE shard = $1"),
            statement("SELECT id FROM lease WHERE shard = $1 FOR UPDATE SKIP LOCKED"),
            statement("SELECT pg_advisory_xact_lock(1)"),
            TidyRule.sample("db/migrations/1.sql", "CREATE TABLE a (\n  b bigserial);"),
            TidyRule.sample("db/migrations/1.sql", "CREATE TRIGGER a BEFORE UPDATE ON b;"),
        ],
        good: [
            statement("UPDATE lease SET at = now() WHERE shard = $1"),
            TidyRule.sample("db/migrations/1.sql", "-- No sequences.\nCREATE TABLE a (b int8);"),
        ])

    static let modifications = TidyRule(
        name: "a statement changes a table at most once",
        reason: "ledger.md 6.4: CockroachDB refuses more; which change wins is nobody's to say",
        check: { file in
            let change = #/\b(?:INSERT\s+INTO|DELETE\s+FROM|UPDATE)\s+(?!SET\b)([a-z_]+)/#
            return statements(in: file).filter { literal in
                guard file.isSource else { return false }
                let tables = literal.text.matches(of: change).map(\.1)
                return Set(tables).count < tables.count
            }.map(\.line)
        },
        bad: [
            statement(
                "WITH a AS (UPDATE lease SET b = 1), c AS (DELETE FROM lease USING a) SELECT 1")
        ],
        good: [
            statement(
                "INSERT INTO lease (shard) VALUES ($1) ON CONFLICT (shard) DO UPDATE SET b = 1"),
            statement("SELECT b FROM lease WHERE shard = $1 AND lease_id = $2 FOR UPDATE"),
        ])

    static let rowLocks = TidyRule(
        name: "FOR UPDATE locks one row of one shard",
        reason: "ledger.md 6.9: several rows are locked in an order that the plan decides",
        check: { file in
            let one = #/shard = \$\d+\s+AND (\w+\.)?\w+_id = \$\d+\s+FOR UPDATE/#
            return statements(in: file).filter { literal in
                literal.text.matches(of: #/FOR\s+(NO\s+KEY\s+)?UPDATE|FOR\s+(KEY\s+)?SHARE/#).count
                    != literal.text.matches(of: one).count
            }.map(\.line)
        },
        bad: [
            statement("SELECT a FROM lease WHERE shard = $1 AND node_id > $2 FOR UPDATE"),
            statement("SELECT a FROM lease WHERE shard = $1 AND lease_id = $2 FOR SHARE"),
        ],
        good: [statement("SELECT a FROM lease l WHERE l.shard = $1 AND l.lease_id = $2 FOR UPDATE")]
    )

    static let keys = TidyRule(
        name: "every table and every key of a migration begins with the shard",
        reason: "ledger.md 6.1: only so can rows live, and be unique, on one worker",
        check: { file in
            statements(in: file).filter { literal in
                guard file.path.hasPrefix("db/") else { return false }
                let text = literal.text
                let isTable = text.contains(#/CREATE TABLE\s+(IF NOT EXISTS\s+)?\w+\s*\(/#)
                let begins = text.contains(#/CREATE TABLE\s+(IF NOT EXISTS\s+)?\w+\s*\(\s*shard /#)
                let lists = text.matches(
                    of: #/(?:PRIMARY KEY|UNIQUE|FOREIGN KEY|INDEX \w+ ON \w+)\s*\(\s*(\w+)/#)
                return isTable && !begins || lists.contains { $0.1 != "shard" }
            }.map(\.line)
        },
        bad: [
            TidyRule.sample("db/migrations/1.sql", "CREATE TABLE a (\n  id int8 PRIMARY KEY);"),
            TidyRule.sample("db/migrations/1.sql", "CREATE UNIQUE INDEX a ON b (id, shard);"),
        ],
        good: [
            TidyRule.sample(
                "db/migrations/1.sql", "CREATE TABLE a (\n  shard int2, PRIMARY KEY (shard, id));")
        ])

    private static func statement(_ sql: String) -> TidyRule.Sample {
        TidyRule.sample("Sources/Ledger/Statements/A.swift", "let a = \"\(sql)\"\n")
    }

    static let all = [words, modifications, rowLocks, keys]

    /// Statements that a rule on shards leaves alone.
    static func isExcepted(_ literal: SwiftText.Literal, in file: TidyFile) -> Bool {
        !statements(in: file).contains(literal)
    }
}
