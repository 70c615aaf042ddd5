import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

/// The built program serving as a child: migrated by itself, with a database of its own, a scripted
/// upstream behind the model `scripted` (and `sights`, which sees images, and `union`, which
/// understands what goes beyond OpenAI's API), and, when asked for, the real engine behind the
/// model `demo`.
final class ServedGateway: Sendable {
    /// A key as `admin key create` gave it.
    struct IssuedKey: Sendable {
        let id: String
        let secret: String
        let name: String
        let team: String

        /// The object of `admin key create`.
        init(_ made: [String: Any]) throws {
            id = try #require(made["key_id"] as? String)
            secret = try #require(made["key"] as? String)
            name = try #require(made["name"] as? String)
            team = try #require(made["team"] as? String)
        }
    }

    /// Its database.
    let database: TestDatabase
    /// The folder of its configuration, its pepper and its data.
    let folder: String
    /// The upstream behind the model `scripted`.
    let upstream: ScriptedUpstream
    /// What the upstream does.
    let scripts: ScriptBook
    /// The process.
    let program: RunningProgram
    /// Where clients call.
    let port: Int
    /// Where its health is read.
    let adminPort: Int
    private let secrets = Mutex<[String]>([])
    private let number = Mutex(0)

    /// The gateway of the suite that runs.
    @TaskLocal static var shared: ServedGateway?

    /// The gateway of the suite that runs.
    static func current() throws -> ServedGateway { try #require(shared) }

    /// The configuration file.
    var configuration: String { "\(folder)/turnpike.yaml" }

    /// Where the official package finds it.
    var baseURL: String { "http://127.0.0.1:\(port)/v1" }

    /// Starts one. Returns once it serves, and with the engine once that answers.
    static func start(
        withEngine: Bool, settings: String = "", backends: String = "",
        speaksMessages: Bool = false
    ) throws -> ServedGateway {
        let gateway = try ServedGateway(
            withEngine: withEngine, settings: settings, backends: backends,
            speaksMessages: speaksMessages)
        if withEngine { try gateway.waitForEngine() }
        return gateway
    }

    private init(
        withEngine: Bool, settings: String, backends: String, speaksMessages: Bool
    ) throws {
        let scripts = ScriptBook()
        upstream = try ScriptedUpstream { scripts.steps(for: $0) }
        self.scripts = scripts
        database = try TestDatabase.makeEmpty()
        folder = try Self.makeFolder()
        try FileManager.default.createDirectory(
            atPath: "\(folder)/data", withIntermediateDirectories: true)
        let file = "\(folder)/turnpike.yaml"
        adminPort = try Self.freePort()
        let text = try Self.configuration(
            database.url, folder, upstream, adminPort, withEngine: withEngine,
            backends: backends, copies: settings.contains("shadow:"),
            speaksMessages: speaksMessages)
        try Data((text + settings + "\n").utf8).write(to: URL(filePath: file))
        _ = FileManager.default.createFile(
            atPath: "\(folder)/pepper", contents: Data((0..<32).map { _ in .random(in: 0...255) }),
            attributes: [.posixPermissions: 0o600])
        let binary = try Installation.program()
        let migration = try RunningProgram.run(binary, ["migrate", "--config", file])
        try #require(migration.status == 0, "\(migration.complaint)")
        let judge = settings == Self.judge ? try Self.makeKey(of: "judges", file) : ""
        let copies = settings.contains("shadow:") ? try Self.makeKey(of: "copies", file) : ""
        program = try RunningProgram.start(
            binary, ["serve", "--config", file],
            environment: [
                "TURNPIKE_TEST_JUDGE": judge, "TURNPIKE_TEST_SHADOW": copies,
                "TURNPIKE_TEST_CLAUDE": Self.messagesKey, "TURNPIKE_TEST_HOOK": Self.webhookSecret,
            ])
        port = try Self.port(of: program)
    }

    /// What webhooks are signed with.
    static let webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    /// Settings under which the scripted upstream judges texts for those who ask for that.
    static let judge = """
        safeguards:
          judge: { model: scripted, api_key_env: TURNPIKE_TEST_JUDGE }
        """

    /// Makes a key of the operator's own, which pays for judging or copies, before anything serves.
    private static func makeKey(of team: String, _ file: String) throws -> String {
        func administer(_ words: [String]) throws -> [String: Any] {
            let end = try RunningProgram.run(
                Installation.program(),
                ["admin"] + words + ["--config", file, "--format", "json"])
            try #require(end.status == 0, "\(end.complaint)")
            let value = try JSONSerialization.jsonObject(with: Data(end.output.utf8))
            return try #require(value as? [String: Any])
        }
        _ = try administer(["team", "create", team])
        let made = try administer(["key", "create", "--team", team, "--name", "operator"])
        return try IssuedKey(made).secret
    }

    /// The port of a serving program, once it serves.
    static func port(of program: RunningProgram) throws -> Int {
        let line = try program.line(containing: "Serving on http://")
        let digits = line.split(separator: ":").last?.prefix { $0.isNumber } ?? ""
        return try #require(Int(digits), "\(line)")
    }

    /// A port that nobody has at this moment: only the clients' one is told by the program.
    static func freePort() throws -> Int {
        let upstream = try ScriptedUpstream { _ in [] }
        upstream.stop()
        return Int(upstream.port)
    }

    private static func makeFolder() throws -> String {
        var template = Array("/tmp/turnpike-e2e-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXError(.EIO) }
        return String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
    }

    private static func configuration(
        _ database: String, _ folder: String, _ scripted: ScriptedUpstream, _ adminPort: Int,
        withEngine: Bool, backends: String, copies: Bool, speaksMessages: Bool
    ) throws -> String {
        let upstream = scripted.baseURL
        var text = """
            listen: 127.0.0.1:0
            admin_listen: 127.0.0.1:\(adminPort)
            database: "\(database)"
            data_dir: \(folder)/data
            pepper_file: \(folder)/pepper
            log_level: trace
            drain_timeout: 3s
            # One upstream plays all parts, the broken ones too: no test is to break it for the next.
            routing:
              attempts: \(speaksMessages ? 1 : 2)
              breaker: { consecutive_failures: 100000, minimum_calls: 100000 }
            backends:
              upstream:
                kind: openai
                base_url: \(upstream)
                allow_private_addresses: true
              official:
                kind: openai
                base_url: \(upstream)
                allow_private_addresses: true
                extra_parameters: [custom_tools, allowed_tools, prediction, store, audio, moderation]
              generous:
                kind: openai
                base_url: \(upstream)
                allow_private_addresses: true
                extra_parameters: [channel, top_k, min_p, repetition_penalty, enable_thinking,
                  chat_template_kwargs, separate_reasoning]

            """
        if withEngine { text += try engines(folder) }
        if copies {
            text = text.replacing(
                "routing:\n", with: "routing:\n  shadow_api_key_env: TURNPIKE_TEST_SHADOW\n")
        }
        text += backends
        if speaksMessages { text += messagesBackends(port: scripted.port) }
        text += models
        if speaksMessages { text += messagesModels }
        guard withEngine else { return text }
        return text
            + "  demo: { backends: [local], context_tokens: 1024, max_completion_tokens: 512 }\n"
            + "  demo-sees: { backends: [eye], context_tokens: 1024, max_completion_tokens: 512, "
            + "image_tokens: \(ProjectorFile.imageTokens) }\n"
    }

    /// The demo model, and the same with an eye, which runs once somebody shows it something.
    private static func engines(_ folder: String) throws -> String {
        try ProjectorFile.write(to: "\(folder)/eye.gguf", modelWidth: 192)
        let engine = """
                kind: local_engine
                command: \(try Installation.engine())
                model_file: \(try Installation.model())
                context_tokens: 1024
                threads: 1

            """
        return "  local:\n\(engine)    slots: 4\n"
            + "  eye:\n\(engine)    slots: 1\n    start: on_demand\n"
            + "    extra_arguments: [--mmproj, \(folder)/eye.gguf]\n"
    }

    /// The models of the scripted upstream.
    private static let models = """
        models:
          scripted: { backends: [upstream], context_tokens: 4096, max_completion_tokens: 512 }
          other:
            backends: [upstream]
            context_tokens: 4096
            max_completion_tokens: 512
            price: { prompt_usd_per_mtok: 1, completion_usd_per_mtok: 10 }
          old:
            backends: [upstream]
            context_tokens: 4096
            max_completion_tokens: 512
            retired: true
          sights:
            backends: [official]
            context_tokens: 16384
            max_completion_tokens: 512
            image_tokens: 256
            audio_tokens_per_second: 10
            file_tokens: 4096
            file_ids: true
            audio_output: { history_tokens: 1024 }
            web_search: { prompt_tokens: 1024, usd_per_request: 0.01 }
            service_tiers:
              flex: { prompt_usd_per_mtok: 1, completion_usd_per_mtok: 5 }
          union:
            backends: [generous]
            context_tokens: 16384
            max_completion_tokens: 512
            image_tokens: 256
            audio_tokens_per_second: 10
            video_tokens: 4096

        """

    private func waitForEngine() throws {
        let key = try makeKey()
        _ = try eventually("the engine is ready", within: .seconds(60)) { () -> Bool? in
            let status = try post(
                key, Self.prompt("Hello", model: "demo", more: #","max_tokens":1"#)
            )
            .status
            try #require(status == 200 || status == 503)
            return status == 200 ? true : nil
        }
    }

    /// Ends it, however it is, without expecting anything.
    func discard() {
        program.signal(SIGKILL)
        upstream.stop()
        // A folder left in the temporary directory harms nobody.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Stops it as a supervisor does, and checks that it ends well, leaves nothing open, and has
    /// written no secret.
    func stop() throws {
        defer {
            upstream.stop()
            // A folder left in the temporary directory harms nobody.
            try? FileManager.default.removeItem(atPath: folder)
        }
        program.signal(SIGTERM)
        let end = try program.end()
        #expect(end.status == 0, "\(end.complaint.suffix(2000))")
        #expect(try count("SELECT count(*) FROM reservation") == 0)
        #expect(try count("SELECT count(*) FROM usage WHERE overage > 0 AND basis = 1") == 0)
        for secret in secrets.withLock({ $0 }) + [Self.messagesKey, Self.webhookSecret] {
            #expect(!end.complaint.contains(secret) && !end.output.contains(secret))
        }
    }

    // MARK: Administration

    /// Runs an admin command and returns how it ended.
    func admin(_ words: [String]) throws -> RunningProgram.End {
        try RunningProgram.run(
            Installation.program(),
            ["admin"] + words + ["--config", configuration, "--format", "json"])
    }

    /// Runs an admin command that must succeed, and returns its object.
    @discardableResult
    func administer(_ words: [String]) throws -> [String: Any] {
        let end = try admin(words)
        try #require(end.status == 0, "\(words): \(end.complaint)")
        let value = try JSONSerialization.jsonObject(with: Data(end.output.utf8))
        return value as? [String: Any] ?? ["rows": value]
    }

    /// Makes a team with one key, and gives the key a quota.
    func makeKey(quota: [String] = [], more: [String] = []) throws -> IssuedKey {
        let number = self.number.withLock { number in
            number += 1
            return number
        }
        try administer(["team", "create", "team-\(number)"])
        let made = try administer(
            ["key", "create", "--team", "team-\(number)", "--name", "key-\(number)"] + more)
        let key = try IssuedKey(made)
        secrets.withLock { $0.append(key.secret) }
        if !quota.isEmpty { try administer(["quota", "set", "--key", key.id] + quota) }
        return key
    }

    // MARK: The ledger

    /// The rows of a query: texts by the names of their columns, without nulls.
    func rows(_ sql: String) throws -> [[String: String]] {
        let connection = try database.connection()
        defer { connection.close() }
        return try Self.rows(sql, over: connection)
    }

    /// The same over a connection that stays.
    static func rows(
        _ sql: String, over connection: PostgresConnection
    ) throws -> [[String: String]] {
        let query = "SELECT array_to_json(ARRAY(SELECT row_to_json(q) FROM (\(sql)) q))::text"
        let result = try connection.execute(
            PostgresCommand(PostgresStatement(name: nil, sql: query), []))
        let json = try JSONSerialization.jsonObject(with: Data(try result.rows[0].text(0).utf8))
        return (json as? [[String: Any]] ?? []).map { row in
            row.filter { !($0.value is NSNull) }.mapValues { "\($0)" }
        }
    }

    /// The single number of a query.
    func count(_ sql: String) throws -> Int {
        try #require(try rows(sql).first?.values.first.flatMap { Int($0) })
    }

    // MARK: Requests

    /// A request's body with one message.
    static func prompt(_ text: String, model: String = "scripted", more: String = "") -> String {
        #"{"model":"\#(model)","messages":[{"role":"user","content":"\#(text)"}]\#(more)}"#
    }

    /// One request on a connection of its own.
    func post(_ key: IssuedKey?, _ body: String) throws -> HTTPReply {
        let connection = try HTTPConnection(port: port)
        connection.send(key: key?.secret, body: body)
        return try connection.reply()
    }

    /// One request without a body on a connection of its own; to the clients' port unless another
    /// is given.
    func get(_ key: IssuedKey?, _ path: String, port other: Int? = nil) throws -> HTTPReply {
        let connection = try HTTPConnection(port: other ?? port)
        connection.send("GET", path, key: key?.secret, body: "", headers: [])
        return try connection.reply()
    }

    /// Runs a script of the official package; returns the JSON object it prints.
    func python(
        _ script: String, _ key: IssuedKey, _ arguments: [String] = [],
        within bound: Duration = .seconds(60)
    ) throws -> [String: Any] {
        let end = try RunningProgram.run(
            Installation.python(), ["\(Installation.scripts)/\(script).py"] + arguments,
            environment: ["OPENAI_BASE_URL": baseURL, "OPENAI_API_KEY": key.secret],
            within: bound)
        try #require(end.status == 0, "\(script): \(end.complaint)")
        let value = try JSONSerialization.jsonObject(with: Data(end.output.utf8))
        return try #require(value as? [String: Any])
    }
}
