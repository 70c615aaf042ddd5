import Domain
import Foundation
import Postgres
import Testing

@testable import Admin
@testable import Ledger

/// `admin doctor`: each check is seen to fail.
@Suite struct `Doctor` {
    /// A configuration with everything it names, in a folder of its own.
    private final class Installation: Sendable {
        let folder: String
        var file: String { "\(folder)/turnpike.yaml" }

        init(_ change: (String) -> String = { $0 }) throws {
            let files = FileManager.default
            folder = files.temporaryDirectory.appending(path: UUID().uuidString).path
            try files.createDirectory(
                atPath: "\(folder)/data", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            for (name, size) in [("pepper", 64), ("model.gguf", 4096), ("llama-server", 64)] {
                _ = files.createFile(
                    atPath: "\(folder)/\(name)",
                    contents: Data((0..<size).map { UInt8($0 & 0xFF) }),
                    attributes: [.posixPermissions: 0o700])
            }
            let text = """
                listen: 127.0.0.1:18080
                admin_listen: 127.0.0.1:18081
                database: "postgres:///turnpike"
                data_dir: \(folder)/data
                pepper_file: \(folder)/pepper
                backends:
                  local: { kind: local_engine, model_file: \(folder)/model.gguf, command: \(folder)/llama-server }
                  openai: { kind: openai, base_url: "https://api.example", api_key_env: OPENAI_API_KEY }
                models:
                  demo: { backends: [local], context_tokens: 1024, max_completion_tokens: 512 }
                """
            try Data(change(text).utf8).write(to: URL(filePath: file))
        }

        deinit {
            // A folder left in the temporary directory harms nobody.
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    private static let now = FakeAdminLedger.now

    private static func facts() -> DatabaseFacts {
        var facts = DatabaseFacts()
        facts.version = 150_004
        facts.role = "gateway"
        facts.synchronousStandbys = "*"
        facts.standbys = 1
        facts.connectionLimit = 100
        facts.connections = 5
        facts.time = now
        facts.schema = .current(version: 13)
        facts.peppers = [1: 3]
        return facts
    }

    private static func machine() -> MachineFacts {
        MachineFacts(
            user: geteuid(), descriptors: 65_536, memory: 8_000_000_000, listening: [22])
    }

    private static func run(
        _ place: Installation, _ line: String = "", facts: DatabaseFacts? = nil,
        failure: LedgerError? = nil, machine: MachineFacts? = nil,
        variables: [String: String] = ["OPENAI_API_KEY": "sk-upstream"],
        answers: [DoctorParts.UpstreamAnswer]? = [.answered(status: 200, expires: nil)],
        engine: DoctorParts.Engine = .found("/opt/llama-server")
    ) async -> CommandRun {
        let facts = facts ?? Self.facts()
        let machine = machine ?? Self.machine()
        let doctor = Admin.Doctor(
            environment: { variables[$0] }, machine: { machine },
            disk: { _ in (50_000_000_000, .milliseconds(2)) },
            database: { _ throws(LedgerError) in
                if let failure { throw failure }
                return facts
            }, time: { now },
            parts: { DoctorParts(askUpstream: { _, _, _ in answers }, findEngine: { _ in engine }) }
        )
        return await DoctorCommand.$doctor.withValue(doctor) {
            await CommandRun.waiting("doctor --config \(place.file) \(line)") {
                () throws(AdminFailure) in FakeAdminLedger()
            }
        }
    }

    /// The state and finding of each check of a name.
    private static func found(_ run: CommandRun) throws -> [[String: Any]] {
        try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]] ?? []
    }

    private static func expect(
        _ run: CommandRun, _ name: String, _ state: String, _ words: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let checks = try found(run).filter { $0["check"] as? String == name }
        #expect(
            checks.contains {
                $0["state"] as? String == state
                    && ($0["finding"] as? String ?? "").contains(words)
                    && (state == "ok" || !(($0["advice"] as? String) ?? "").isEmpty)
            }, "\(run.output)", sourceLocation: sourceLocation)
        #expect(run.status == (state == "fault" ? 1 : 0), sourceLocation: sourceLocation)
    }

    @Test func `all is well where all is well, one line a check`() async throws {
        let place = try Installation()
        let run = await Self.run(place)
        #expect(run.status == 0, "\(run.output)")
        #expect(run.lines.last == "18 ok, 0 warning, 0 fault.", "\(run.output)")
        #expect(run.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
        let states = try Self.found(await Self.run(place, "--format json")).map {
            $0["state"] as? String
        }
        #expect(Set(states) == ["ok"] && states.count == 18)
        #expect((MachineFacts.freeBytes(place.folder) ?? 0) > 0)
        #expect(MachineFacts.syncTime("\(place.folder)/data") != nil)
        #expect(MachineFacts.syncTime("\(place.folder)/nowhere") == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(place.folder)/data").isEmpty)
    }

    @Test func `a configuration that cannot be used is told alone`() async throws {
        let place = try Installation { $0 + "\nlisten_too: 1" }
        try Self.expect(
            await Self.run(place, "--format json"), "configuration", "fault", "listen_too")
        let none = await CommandRun.waiting("doctor --config /nowhere.yaml --format json") {
            () throws(AdminFailure) in FakeAdminLedger()
        }
        try Self.expect(none, "configuration", "fault", "no such file")
    }

    /// Something wrong with a database, and what is said of it.
    struct Flaw: Sendable, CustomTestStringConvertible {
        let check: String
        let state: String
        let words: String
        let change: @Sendable (inout DatabaseFacts) -> Void

        var testDescription: String { "\(check): \(words)" }

        init(
            _ check: String, _ state: String, _ words: String,
            _ change: @escaping @Sendable (inout DatabaseFacts) -> Void
        ) {
            self.check = check
            self.state = state
            self.words = words
            self.change = change
        }
    }

    static let flaws: [Flaw] = [
        Flaw("database", "fault", "standby") { $0.isStandby = true },
        Flaw("database", "fault", "PostgreSQL 13.9") { $0.version = 130_009 },
        Flaw("durability", "fault", "fsync is off") { $0.waitsForDisk = false },
        Flaw("durability", "fault", "full_page_writes is off") { $0.repairsPages = false },
        Flaw("durability", "warning", "synchronous_commit") { $0.synchronousCommit = "off" },
        Flaw("replication", "fault", "none is connected") { $0.standbys = 0 },
        Flaw("replication", "warning", "no standby is synchronous") {
            $0.synchronousStandbys = ""
        },
        Flaw("replication", "warning", "there is no standby") {
            $0.synchronousStandbys = ""
            $0.standbys = 0
        },
        Flaw("connections", "warning", "95 of 100") { $0.connections = 95 },
        Flaw("clock", "warning", "1000 ms apart") { $0.time = $0.time + .seconds(1) },
        Flaw("clock", "warning", "2000 ms apart") { $0.time = $0.time + .seconds(-2) },
        Flaw("clock", "fault", "600000 ms apart") { $0.time = $0.time + .seconds(600) },
        Flaw("schema", "fault", " ") { $0.schema = .tooOld(version: 9, needs: 13) },
        Flaw("schema", "fault", " ") { $0.schema = .tooNew(version: 99, knows: 13) },
        Flaw("privileges", "fault", "INSERT on usage") {
            $0.missingPrivileges = ["INSERT on usage"]
        },
        Flaw("keys", "fault", "4 were made under pepper 2") { $0.peppers = [1: 3, 2: 4] },
    ]

    @Test(arguments: flaws)
    func `what is wrong with the database is found`(flaw: Flaw) async throws {
        var facts = Self.facts()
        flaw.change(&facts)
        let run = await Self.run(try Installation(), "--format json", facts: facts)
        try Self.expect(run, flaw.check, flaw.state, flaw.words)
    }

    @Test func `a database that is away is a fault, and the rest is looked at all the same`()
        async throws
    {
        let away = await Self.run(
            try Installation(), "--format json",
            failure: .unreachable(PostgresError(kind: .connection(reason: "gone", fault: nil))))
        try Self.expect(away, "database", "fault", "cannot be reached")
        #expect(try Self.found(away).contains { $0["check"] as? String == "pepper" })
    }

    @Test func `what is wrong with files is found`() async throws {
        let files = FileManager.default
        func mode(_ mode: Int, _ path: String) throws {
            try files.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
        let pepper = try Installation()
        try mode(0o644, "\(pepper.folder)/pepper")
        try Self.expect(
            await Self.run(pepper, "--format json"), "pepper", "fault", "read by everybody")
        let journal = try Installation()
        try mode(0o777, "\(journal.folder)/data")
        try Self.expect(
            await Self.run(journal, "--format json"), "journal", "fault", "others may write")
        try mode(0o750, "\(journal.folder)/data")
        try Self.expect(
            await Self.run(journal, "--format json"), "journal", "warning", "others may read")
        try files.removeItem(atPath: "\(journal.folder)/data")
        try Self.expect(await Self.run(journal, "--format json"), "journal", "fault", "no folder")
        let engine = try Installation()
        try mode(0o600, "\(engine.folder)/llama-server")
        try Self.expect(
            await Self.run(engine, "--format json"), "backend local", "fault", "cannot be run")
        try files.removeItem(atPath: "\(engine.folder)/model.gguf")
        try Self.expect(
            await Self.run(engine, "--format json"), "backend local", "fault", "model.gguf")
        let search = try Installation {
            $0.split(separator: "\n").map { line in
                line.contains("command:")
                    ? String(line.prefix { $0 != "," }) + ", model_file: /dev/null }" : String(line)
            }.joined(separator: "\n")
        }
        try Self.expect(
            await Self.run(search, "--format json"), "backend local", "ok",
            "/opt/llama-server can be run")
        try Self.expect(
            await Self.run(search, "--format json", engine: .missing(reason: "it was not found")),
            "backend local", "fault", "it was not found")
    }

    @Test func `what is wrong with this machine is found`() async throws {
        let place = try Installation()
        var machine = Self.machine()
        machine.user += 1
        machine.descriptors = 1024
        machine.listening = [18_080]
        let run = await Self.run(place, "--format json", machine: machine)
        try Self.expect(run, "journal", "warning", "and you are")
        try Self.expect(run, "descriptors", "warning", "1024 may be open")
        try Self.expect(run, "listen", "warning", "port 18080 already")
        machine.memory = 4000
        try Self.expect(
            await Self.run(place, "--format json", machine: machine), "backend local", "fault",
            "the model")
        let keyless = await Self.run(place, "--format json", variables: [:])
        try Self.expect(keyless, "backend openai", "fault", "OPENAI_API_KEY is not set")
        let open = try Installation { $0.replacing("https://api", with: "http://api") }
        try Self.expect(
            await Self.run(open, "--format json"), "backend openai", "warning",
            "everybody can read it")
        let low = try Installation { $0.replacing(":18081", with: ":81") }
        var stranger = Self.machine()
        stranger.user = 1000
        try Self.expect(
            await Self.run(low, "--format json", machine: stranger), "admin_listen", "warning",
            "privileged")
    }

    @Test func `each answer of an upstream is told with what to do about it`() async throws {
        let place = try Installation()
        func found(_ answer: DoctorParts.UpstreamAnswer, _ state: String, _ words: String)
            async throws
        {
            let run = await Self.run(place, "--format json", answers: [answer])
            try Self.expect(run, "backend openai", state, words)
        }
        try await found(
            .answered(status: 200, expires: nil), "ok", "takes the key in OPENAI_API_KEY")
        for status in [401, 403] {
            try await found(
                .answered(status: status, expires: nil), "fault",
                "refuses the key in OPENAI_API_KEY")
        }
        try await found(.answered(status: 404, expires: nil), "ok", "lists no models")
        try await found(.answered(status: 429, expires: nil), "warning", "429")
        try await found(.answered(status: 503, expires: nil), "warning", "503")
        try await found(.failed(reason: "The name was not found."), "fault", "name was not found")
        let offline = await Self.run(
            place, "--format json --offline", answers: [.failed(reason: "asked all the same")])
        try Self.expect(offline, "backend openai", "ok", "not called")
    }

    @Test func `each key is asked, and a certificate that ends soon is told`() async throws {
        let place = try Installation {
            $0.replacing("api_key_env: OPENAI_API_KEY", with: "api_key_env: [FIRST, SECOND]")
        }
        func run(_ seconds: Int64) async -> CommandRun {
            await Self.run(
                place, "--format json", variables: ["FIRST": "sk-1", "SECOND": "sk-2"],
                answers: [
                    .answered(status: 200, expires: Self.now + .seconds(seconds)),
                    .answered(status: 401, expires: Self.now + .seconds(seconds)),
                ])
        }
        let soon = await run(14 * 86_400 - 1)
        #expect(soon.status == 1)
        let lines = try Self.found(soon).filter {
            ($0["check"] as? String)?.hasSuffix(" openai") == true
        }
        #expect(
            lines.map { $0["state"] as? String } == ["ok", "fault", "warning"], "\(soon.output)")
        #expect((lines[1]["finding"] as? String)?.contains("the key in SECOND") == true)
        #expect((lines[2]["finding"] as? String)?.contains("in 13 days") == true)
        let later = try Self.found(await run(14 * 86_400)).last {
            $0["check"] as? String == "certificate openai"
        }
        #expect(later?["state"] as? String == "ok")
    }

    @Test func `a full or slow disk is told before it stops a gateway`() {
        let place = MachineFacts.Place(isFolder: true, mode: 0o700, owner: 7, size: 0)
        func states(_ free: Int64?, _ time: Duration?) -> [DoctorCheck.State] {
            MachineChecks.journal(
                "/j", place: place, user: 7, freeBytes: free, syncTime: time
            ).map(\.state)
        }
        #expect(states(2_000_000_000, .milliseconds(100)) == [.ok, .ok])
        #expect(states(1_999_999_999, .milliseconds(101)) == [.warning, .warning])
        #expect(states(255_999_999, nil) == [.fault, .fault])
        #expect(states(nil, .zero) == [.warning, .ok])
    }

    @Test func `the system's own tables are read`() {
        #expect(
            MachineFacts.descriptors(
                "Limit  Soft\nMax open files            1024    524288  files\n")
                == 1024)
        #expect(MachineFacts.memory("MemTotal: 9 kB\nMemAvailable:    20 kB\n") == 20_480)
        #expect(
            MachineFacts.listening(
                """
                  sl  local_address rem_address   st
                   0: 0100007F:1F90 00000000:0000 0A 00000000
                   1: 0100007F:1F91 0100007F:0016 01 00000000
                """) == [8080])
        let own = MachineFacts.read()
        #expect((own.descriptors ?? 0) > 0 && (own.memory ?? 0) > 0)
    }
}
