import Foundation
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `A catalog that is reloaded` {
        private static let line =
            "  later: { backends: [upstream], context_tokens: 4096, max_completion_tokens: 99,\n"
            + "    price: { prompt_usd_per_mtok: 3, completion_usd_per_mtok: 5 } }\n"

        /// Writes the configuration anew, asks for a reload and waits for what the log says of it.
        private static func reload(
            _ gateway: ServedGateway, _ text: String, says words: String
        ) throws -> String {
            try Data(text.utf8).write(to: URL(filePath: gateway.configuration))
            let before = gateway.program.written().complaint.count
            gateway.program.signal(SIGHUP)
            return try eventually("the log says: \(words)") {
                let news = gateway.program.written().complaint.dropFirst(before)
                return news.split(separator: "\n").first { $0.contains(words) }.map(String.init)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `models come, change and go without a restart, prices and records with them`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let key = try gateway.makeKey()
                let file = try String(contentsOfFile: gateway.configuration, encoding: .utf8)
                let body = ServedGateway.prompt("Hi", model: "later")
                #expect(try gateway.post(key, body).code == "model_not_found")
                let more = file.replacing("models:\n", with: "models:\n" + Self.line)
                let added = try Self.reload(gateway, more, says: "was reloaded")
                #expect(added.contains("added=later"), "\(added)")
                #expect(try gateway.post(key, body).status == 200)
                let charged = try gateway.rows(
                    """
                    SELECT m.name, u.cost_nanousd AS cost FROM usage u
                    JOIN model m ON m.shard = u.shard AND m.model_id = u.model_id
                    JOIN price p ON p.shard = u.shard AND p.price_version = u.price_version
                    """)
                #expect(charged.count == 1 && charged[0]["name"] == "later")
                #expect(charged[0]["cost"].flatMap { Int($0) } ?? 0 > 0)
                let dearer = more.replacing(
                    "prompt_usd_per_mtok: 3", with: "prompt_usd_per_mtok: 30")
                let changed = try Self.reload(gateway, dearer, says: "was reloaded")
                #expect(changed.contains("changed=later"), "\(changed)")
                #expect(try gateway.post(key, body).status == 200)
                let bound = "max_completion_tokens: 99,"
                let cooler = dearer.replacing(bound, with: bound + " max_temperature: 0.5,")
                _ = try Self.reload(gateway, cooler, says: "was reloaded")
                let warm = ServedGateway.prompt("Hi", model: "later", more: #","temperature":0.6"#)
                #expect(try gateway.post(key, warm).code == "decimal_above_max_value")
                let versions = "SELECT count(DISTINCT price_version) FROM usage"
                #expect(try gateway.count(versions) == 2)
                let removed = try Self.reload(gateway, file, says: "was reloaded")
                #expect(removed.contains("removed=later"), "\(removed)")
                #expect(try gateway.post(key, body).code == "model_not_found")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a file with a mistake changes nothing and is told with its line`() async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let key = try gateway.makeKey()
                let file = try String(contentsOfFile: gateway.configuration, encoding: .utf8)
                let good = file.replacing("models:\n", with: "models:\n" + Self.line)
                let bad = try Self.reload(
                    gateway, good + "drain_timeoot: 3s\n", says: "was refused")
                #expect(bad.contains("drain_timeoot"), "\(bad)")
                let strange = try Self.reload(
                    gateway,
                    good.replacing("  upstream:\n", with: "  elsewhere:\n")
                        .replacing("backends: [upstream]", with: "backends: [elsewhere]"),
                    says: "was refused")
                #expect(strange.contains("elsewhere") && strange.contains("restart"), "\(strange)")
                let body = ServedGateway.prompt("Hi", model: "later")
                #expect(try gateway.post(key, body).code == "model_not_found")
                #expect(try gateway.post(key, ServedGateway.prompt("Hi")).status == 200)
                let later = try Self.reload(
                    gateway, good.replacing("drain_timeout: 3s", with: "drain_timeout: 4s"),
                    says: "wait for a restart")
                #expect(later.contains("drain_timeout"), "\(later)")
                #expect(try gateway.post(key, body).status == 200)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a context beyond that of the engine which runs is refused, a smaller one is not`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: true)
                defer { gateway.discard() }
                let file = try String(contentsOfFile: gateway.configuration, encoding: .utf8)
                // Good for a start, where the engine would have as much.
                let larger = file.replacing("context_tokens: 1024", with: "context_tokens: 2048")
                #expect(larger != file)
                let refused = try Self.reload(gateway, larger, says: "was refused")
                #expect(
                    refused.contains("2048 is more than a slot of local")
                        && refused.contains("runs with 1024"), "\(refused)")
                let smaller = file.replacing(
                    "backends: [local], context_tokens: 1024",
                    with: "backends: [local], context_tokens: 768")
                let taken = try Self.reload(gateway, smaller, says: "was reloaded")
                #expect(taken.contains("changed=demo"), "\(taken)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `names that the ledger cannot take come in force when it can, never before`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let key = try gateway.makeKey()
                let file = try String(contentsOfFile: gateway.configuration, encoding: .utf8)
                let more = file.replacing("models:\n", with: "models:\n" + Self.line)
                let connection = try gateway.database.connection()
                defer { connection.close() }
                try connection.execute(
                    script: "ALTER TABLE model ADD CONSTRAINT no_more CHECK (name <> 'later')")
                let refused = try Self.reload(gateway, more, says: "was refused")
                #expect(refused.contains("names"), "\(refused)")
                let body = ServedGateway.prompt("Hi", model: "later")
                #expect(try gateway.post(key, body).code == "model_not_found")
                try connection.execute(script: "ALTER TABLE model DROP CONSTRAINT no_more")
                _ = try Self.reload(gateway, more, says: "was reloaded")
                #expect(try gateway.post(key, body).status == 200)
            }
        }
    }
}
