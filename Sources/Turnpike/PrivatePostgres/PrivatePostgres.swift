import Foundation
import Postgres

/// A PostgreSQL of our own: its data and its socket lie in folders that nobody else may enter, it
/// listens on no network, and it ends with us. Used by `turnpike up` and by tests.
struct PrivatePostgres: Sendable {
    /// Where it lives and how it runs.
    struct Settings: Sendable {
        /// The folder of the database's files; made on the first start.
        var dataFolder: String
        /// The folder of the socket, no longer than ``SocketFolder/fits(_:)`` allows.
        var socketFolder: String
        /// Where its log goes.
        var logFile: String
        /// The database that is made for us.
        var database = "turnpike"
        /// The account it runs as, which owns both folders; nil for our own. Never root.
        var account: SystemAccount?
        /// Given to `postgres` with `-c`.
        var options: [String] = []
        /// The longest a start may take, recovery after a crash included.
        var startLimit: Duration = .seconds(120)
    }

    /// The superuser of the private server, known only behind its socket.
    static let user = "turnpike"

    let settings: Settings
    let binaries: PostgresBinaries
    let child: ChildProcess

    /// The libpq URL of the database.
    var url: String { Self.url(settings) }

    static func url(_ settings: Settings) -> String {
        SocketFolder.url(
            database: settings.database, folder: settings.socketFolder, user: user)
    }

    /// Starts a server on an initialised data folder and returns once the database can be used. A
    /// server that was left behind on the folder is stopped first.
    static func start(
        _ settings: Settings, binaries: PostgresBinaries
    ) async throws(StartupFailure) -> PrivatePostgres {
        try await stopLeftover(settings)
        let child = try await ChildProcess.start(
            ChildProcess.Command(
                executable: binaries.path(of: "postgres"), arguments: arguments(settings),
                environment: ["LC_ALL": "C"],
                // A fast shutdown: sessions end, what is committed stays.
                deathSignal: "INT", account: settings.account, outputFile: settings.logFile))
        let postgres = PrivatePostgres(settings: settings, binaries: binaries, child: child)
        do {
            try await postgres.waitUntilReady()
            try postgres.createDatabase()
        } catch {
            await postgres.stop()
            throw error
        }
        return postgres
    }

    /// Makes the data folder unless it is there. It appears whole or not at all: a start that was
    /// interrupted leaves only a folder that the next one clears away.
    static func initialise(
        _ settings: Settings, binaries: PostgresBinaries
    ) async throws(StartupFailure) {
        let files = FileManager.default
        let folder = settings.dataFolder
        if files.fileExists(atPath: "\(folder)/PG_VERSION") { return }
        let fresh = "\(folder).new"
        do {
            if files.fileExists(atPath: fresh) { try files.removeItem(atPath: fresh) }
            try FolderOwnership.createPrivate(fresh, account: settings.account)
        } catch {
            throw StartupFailure("\(fresh) cannot be made: \(FileFault.words(error))")
        }
        let outcome = try await ShortCommand.run(
            binaries.path(of: "initdb"),
            [
                "--pgdata", fresh, "--username", user, "--auth-local=trust",
                "--auth-host=reject", "--encoding=UTF8", "--no-locale", "--data-checksums",
                "--no-instructions",
            ], account: settings.account)
        guard outcome.status == 0 else {
            throw StartupFailure("initdb failed: \(outcome.output.suffix(2000))")
        }
        do {
            try files.moveItem(atPath: fresh, toPath: folder)
        } catch {
            throw StartupFailure("\(folder) cannot be made: \(FileFault.words(error))")
        }
    }

    /// The major version that an initialised data folder belongs to; nil when it is not
    /// initialised.
    static func version(ofDataFolder folder: String) -> Int? {
        FileManager.default.contents(atPath: "\(folder)/PG_VERSION")
            .flatMap { PostgresBinaries.majorVersion(String(decoding: $0, as: UTF8.self)) }
    }

    /// Stops the server: a fast shutdown, which waits for its last checkpoint; then harder, so that
    /// this ends.
    func stop() async {
        child.send(SIGINT)
        if await child.ended(within: .seconds(30)) != nil { return }
        child.send(SIGQUIT)
        if await child.ended(within: .seconds(5)) != nil { return }
        child.send(SIGKILL)
        _ = await child.ended(within: .seconds(5))
    }

    /// The last lines of its log, for an error's text.
    var logTail: String {
        let data = FileManager.default.contents(atPath: settings.logFile) ?? Data()
        let lines = String(decoding: data.suffix(4096), as: UTF8.self).split(separator: "\n")
        return lines.suffix(4).joined(separator: "\n")
    }

    private static func arguments(_ settings: Settings) -> [String] {
        let options =
            [
                "listen_addresses=", "unix_socket_permissions=0700",
                "unix_socket_directories=\(quoted(settings.socketFolder))", "port=5432",
                "max_connections=64", "logging_collector=off", "log_destination=stderr",
                "timezone=UTC", "log_timezone=UTC",
            ] + settings.options
        return ["-D", settings.dataFolder] + options.flatMap { ["-c", $0] }
    }

    /// A member of a PostgreSQL list, which commas and spaces would split.
    private static func quoted(_ text: String) -> String {
        "\"\(text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }

    private func waitUntilReady() async throws(StartupFailure) {
        var last = ""
        let isReady = await ProcessWatch.waits(for: settings.startLimit) {
            if child.status != nil { return true }
            do {
                try PostgresConnection(url: maintenanceURL, options: Self.connectionOptions).close()
                return true
            } catch {
                last = "\(error)"
                return false
            }
        }
        if let status = child.status {
            throw StartupFailure(
                "PostgreSQL ended with status \(status) while starting; "
                    + "its log, \(settings.logFile), ends with:\n\(logTail)")
        }
        guard isReady else {
            throw StartupFailure(
                "PostgreSQL was not ready within \(settings.startLimit): \(last); "
                    + "its log is \(settings.logFile)")
        }
    }

    /// Creates the database unless it is there. The name is ours, never a user's text; it cannot be
    /// a bound parameter of the statement that creates it.
    private func createDatabase() throws(StartupFailure) {
        do {
            let connection = try PostgresConnection(
                url: maintenanceURL, options: Self.connectionOptions)
            defer { connection.close() }
            let find = PostgresStatement(
                name: nil, sql: "SELECT 1 FROM pg_database WHERE datname = $1", isReadOnly: true)
            let found = try connection.execute(
                PostgresCommand(find, [.text(settings.database)]))
            if found.rows.isEmpty {
                try connection.execute(script: "CREATE DATABASE \(settings.database)")
            }
        } catch {
            throw StartupFailure("the database cannot be created: \(error)")
        }
    }

    private var maintenanceURL: String {
        SocketFolder.url(
            database: "postgres", folder: settings.socketFolder, user: Self.user)
    }

    private static var connectionOptions: PostgresConnectionOptions {
        var options = PostgresConnectionOptions()
        options.applicationName = "turnpike up"
        options.connectTimeout = PostgresConnectionOptions.patience
        return options
    }

    /// Stops what an earlier run left on the data folder: a server, or the children of one that was
    /// killed. Only processes that work in this very folder are touched.
    private static func stopLeftover(_ settings: Settings) async throws(StartupFailure) {
        guard let file = PostmasterFile(inDataFolder: settings.dataFolder) else { return }
        let folder = URL(filePath: settings.dataFolder).resolvingSymlinksInPath().path
        // Where processes cannot be seen, PostgreSQL's own lock file has to do.
        guard var left = ProcessWatch.running(inFolder: folder) else { return }
        for (signal, limit) in [(SIGINT, 20), (SIGQUIT, 5), (SIGKILL, 5)] where !left.isEmpty {
            // The server first: it ends its children in order.
            let targets = left.contains(file.processID) ? [file.processID] : left
            for id in targets { _ = kill(id, signal) }
            await ProcessWatch.waits(for: .seconds(limit)) {
                ProcessWatch.running(inFolder: folder)?.isEmpty ?? true
            }
            left = ProcessWatch.running(inFolder: folder) ?? []
        }
        guard left.isEmpty else {
            throw StartupFailure(
                "a PostgreSQL (process \(left[0])) still runs on \(settings.dataFolder) "
                    + "and does not end; stop it and start again")
        }
        // The number in the lock files may be another process's by now, which PostgreSQL would take
        // for a server. They may go: nothing works in the folder, and we hold the lock of the data
        // directory.
        let socket = "\(settings.socketFolder)/\(SocketFolder.fileName)"
        for path in ["\(settings.dataFolder)/postmaster.pid", socket, "\(socket).lock"]
        where FileManager.default.fileExists(atPath: path) {
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                throw StartupFailure("\(path) cannot be removed: \(FileFault.words(error))")
            }
        }
    }
}
