import Foundation
import ServiceLifecycle
import TurnpikeConfiguration

/// One run of `turnpike up`, from the empty folder to the stop.
struct UpSession: Sendable {
    let directory: DataDirectory
    let listen: ListenAddress
    let adminListen: ListenAddress
    let environment: [String: String]
    let executable: String
    let acceptsOlderLedger: Bool
    let stop = StopRequest()
    private let progress = StartupProgress()

    init(
        directory: DataDirectory, listen: ListenAddress, adminListen: ListenAddress,
        environment: [String: String], executable: String, acceptsOlderLedger: Bool
    ) {
        self.directory = directory
        self.listen = listen
        self.adminListen = adminListen
        self.environment = environment
        self.executable = executable
        self.acceptsOlderLedger = acceptsOlderLedger
    }

    /// Starts everything, serves until the stop, stops everything in reverse order.
    func run() async throws {
        let engine = EngineLocator(environment: environment)
        let command = try engine.engine()
        let model = try engine.demoModel(executable: executable)
        progress.say("Turnpike keeps its state in \(directory.path)")
        try directory.ensurePepper()
        try directory.ensureFolder("journal")
        let place = try await DatabasePlace.find(
            in: directory, environment: environment, progress: progress)
        if stop.isRequested { return }
        let postgres = try await startPostgres(place)
        do {
            try writeConfiguration(database: postgres.url, command: command, model: model)
            if !stop.isRequested { try await serve(postgres) }
        } catch {
            await postgres.stop()
            throw error
        }
        await postgres.stop()
        progress.say("Stopped.")
    }

    private func startPostgres(_ place: DatabasePlace) async throws -> PrivatePostgres {
        let version = PrivatePostgres.version(ofDataFolder: place.dataFolder)
        let binaries = try await PostgresBinaries.find(
            required: version, environment: environment)
        let settings = PrivatePostgres.Settings(
            dataFolder: place.dataFolder, socketFolder: place.socketFolder,
            logFile: place.logFile, account: place.account)
        if version == nil {
            try await progress.step("Creating the database with PostgreSQL \(binaries.version)") {
                try await PrivatePostgres.initialise(settings, binaries: binaries)
            }
        }
        directory.limitLog("postgres.log")
        return try await progress.step("Starting PostgreSQL \(binaries.version)") {
            try await PrivatePostgres.start(settings, binaries: binaries)
        }
    }

    /// Writes the configuration unless somebody has made the file their own.
    private func writeConfiguration(
        database: String, command: String, model: String
    ) throws(StartupFailure) {
        let generated = GeneratedConfiguration(
            listen: listen.description, adminListen: adminListen.description, database: database,
            engineCommand: command, modelFile: model)
        if let present = directory.read("turnpike.yaml"),
            !GeneratedConfiguration.isUnchanged(present)
        {
            progress.say("Running with \(directory.file("turnpike.yaml")) as you changed it.")
            return
        }
        try directory.write(generated.text, to: "turnpike.yaml")
    }

    private func serve(_ postgres: PrivatePostgres) async throws {
        var configuration = try Configuration.load(path: directory.file("turnpike.yaml")) {
            environment[$0]
        }
        configuration.listen = listen
        configuration.adminListen = adminListen
        let node = try ProgramStart(configuration: configuration).node(
            acceptsOlderLedger: acceptsOlderLedger)
        try await progress.step("Bringing the database to this version") {
            _ = try await Wiring.migrate(node.configuration)
        }
        let firstKey = FirstKey(directory: directory, wiring: node)
        let first = try await firstKey.ensure()
        if stop.isRequested { return }
        defer { directory.setReady(nil) }
        let watch = PostgresWatch(postgres: postgres)
        try await node.run(until: stop, besides: [watch], needsEngines: true) { addresses in
            welcome(addresses, first: first)
            firstKey.wasShown()
            directory.setReady(
                "listen: \(addresses.listen)\nadmin_listen: \(addresses.adminListen)\n")
        }
    }

    private func welcome(_ addresses: ServingAddresses, first: String?) {
        let host = addresses.listen.isWildcard ? "127.0.0.1" : addresses.listen.hostInURL
        let bearer = first ?? "$(cat '\(directory.file("first-key"))')"
        var lines = ["", "Turnpike serves on http://\(host):\(addresses.listen.port)/v1", ""]
        if let first {
            lines += ["Your first key, shown this once and kept in \(directory.file("first-key")):"]
            lines += ["", "  \(first)", ""]
        }
        if first != nil || directory.has("first-key") {
            let body =
                #"{"model": "demo", "temperature": 0, "messages": [{"role": "user", "#
                + #""content": "What is the capital of France?"}]}"#
            lines += [
                "Try it:", "",
                "  curl http://\(host):\(addresses.listen.port)/v1/chat/completions \\",
                "    -H \"Authorization: Bearer \(bearer)\" \\",
                "    -H 'Content-Type: application/json' \\", "    -d '\(body)'", "",
            ]
        }
        lines += [
            "Administer it:  turnpike admin usage --config '\(directory.file("turnpike.yaml"))'",
            "Stop it:        Ctrl-C", "",
        ]
        FileHandle.standardOutput.write(Data((lines.joined(separator: "\n") + "\n").utf8))
    }
}

/// Ends the program when its private database ends by itself.
struct PostgresWatch: Service {
    let postgres: PrivatePostgres

    func run() async throws {
        try await withThrowingTaskGroup(of: Int32?.self) { group in
            group.addTask { try await Self.endOf(postgres.child) }
            group.addTask {
                try await gracefulShutdown()
                return nil
            }
            defer { group.cancelAll() }
            if let status = try await group.next() ?? nil {
                throw StartupFailure(
                    "PostgreSQL ended by itself with status \(status); "
                        + "its log is \(postgres.settings.logFile)")
            }
        }
    }

    /// Looks now and then, since a wait for a process cannot be cancelled.
    private static func endOf(_ child: ChildProcess) async throws -> Int32? {
        while true {
            if let status = child.status { return status }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
