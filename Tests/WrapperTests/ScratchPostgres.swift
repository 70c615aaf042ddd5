import Foundation
import Postgres
import Synchronization

/// A Postgres server for the tests of one process, gone when the process ends, however it ends.
///
/// With `TURNPIKE_TEST_POSTGRES` set to the URL of a running server (whose user may create
/// databases), that server is used. Otherwise a private one is started: its own directory under
/// `/tmp`, a Unix socket and no port, as the user `postgres` when the tests run as root, which
/// Postgres refuses. The newest installed version is taken, or the one whose programs are in
/// `TURNPIKE_POSTGRES_BIN`.
///
/// A small shell process guards the private server: it holds the other end of a pipe, and when that
/// end closes, even by `kill -9`, stops the server and removes the directory.
final class ScratchPostgres: Sendable {
    enum Failure: Error { case notStarted(String) }

    /// The server of this process, started on first use.
    static let shared = Result { try ScratchPostgres(settings: [], mayUseExisting: true) }

    /// The URL of the server's maintenance database.
    let url: String
    /// Whether the server is this process's own, so that it may be reconfigured and killed.
    let isPrivate: Bool
    private let guardian: Mutex<Guardian?>

    private struct Guardian: @unchecked Sendable {
        // Unchecked: Foundation's types are used under the mutex only.
        let process: Process
        let pipe: Pipe
    }

    /// Starts a private server with these lines of `postgresql.conf`, each `name=value`.
    convenience init(settings: [String]) throws {
        try self.init(settings: settings, mayUseExisting: false)
    }

    private init(settings: [String], mayUseExisting: Bool) throws {
        let environment = ProcessInfo.processInfo.environment
        if mayUseExisting, let existing = environment["TURNPIKE_TEST_POSTGRES"] {
            url = existing
            isPrivate = false
            guardian = Mutex(nil)
            return
        }
        let (input, output) = (Pipe(), Pipe())
        let process = Process()
        let shell = ["/bin/sh", "-c", Self.script, "scratch-postgres"] + settings
        let command =
            getuid() == 0
            ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] + shell
            : shell
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        // The tests' own PG… variables must not reach the server's tools.
        process.environment = environment.filter { !$0.key.hasPrefix("PG") }
        process.currentDirectoryURL = URL(fileURLWithPath: "/tmp")
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // Ends at the first line, or at the end of the script if it fails.
        var answer = Data()
        while !answer.contains(UInt8(ascii: "\n")) {
            let part = output.fileHandleForReading.availableData
            if part.isEmpty { break }
            answer += part
        }
        let words = String(decoding: answer, as: UTF8.self).split(separator: "\n").first ?? ""
        guard words.hasPrefix("ready ") else { throw Failure.notStarted(String(words)) }
        url = "postgres:///postgres?host=\(words.dropFirst(6))&user=postgres"
        isPrivate = true
        guardian = Mutex(Guardian(process: process, pipe: input))
    }

    deinit { stop() }

    /// Stops a private server and waits until it is gone.
    func stop() {
        guard let guardian = guardian.withLock({ $0.take() }) else { return }
        try? guardian.pipe.fileHandleForWriting.close()  // closed already means stopping already
        guardian.process.waitUntilExit()
    }

    /// Creates an empty database and returns its URL.
    ///
    /// Left to the private server's end; on a server of others, `dropDatabase` removes it.
    func createDatabase() throws -> String {
        let name = "turnpike_test_" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        try administer("CREATE DATABASE \(name) TEMPLATE template0 ENCODING 'UTF8'")
        return url(database: name)
    }

    /// Removes the database of a URL that `createDatabase` returned, whoever is connected.
    func dropDatabase(_ url: String) throws {
        guard let name = url.split(separator: "dbname=").last else { return }
        try administer("DROP DATABASE \(name) WITH (FORCE)")
    }

    /// The URL of another database of this server. A later word wins over the URL's own.
    func url(database: String) -> String {
        url + (url.contains("?") ? "&" : "?") + "dbname=" + database
    }

    private func administer(_ script: String) throws {
        let connection = try PostgresConnection(url: url, options: PostgresConnectionOptions())
        defer { connection.close() }
        try connection.execute(script: script)
    }

    /// Speed instead of durability: a test's data need not survive the machine.
    private static let script = """
        fail() { echo "failed: $1 $(tail -n 5 "$dir/log" 2>/dev/null | tr '\\n' ' ')"; exit 1; }
        bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
        [ -n "$TURNPIKE_POSTGRES_BIN" ] && bin=$TURNPIKE_POSTGRES_BIN
        dir=$(mktemp -d /tmp/tpg.XXXXXX) || fail "no directory"
        leave() { "$bin/pg_ctl" -D "$dir/data" -m immediate stop; rm -rf "$dir"; }
        trap 'leave >/dev/null 2>&1' EXIT
        trap 'exit 1' HUP INT TERM PIPE
        "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync \\
            >"$dir/log" 2>&1 || fail initdb
        { echo "listen_addresses = ''"; echo "unix_socket_directories = '$dir'"
          echo "fsync = off"; echo "full_page_writes = off"; echo "max_connections = 100"
          echo "shared_buffers = 32MB"; echo "autovacuum_naptime = 60"; echo "timezone = UTC"
        } >>"$dir/data/postgresql.conf"
        for line in "$@"; do echo "$line" >>"$dir/data/postgresql.conf"; done
        "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w start >/dev/null 2>&1 </dev/null || fail start
        echo "ready $dir"
        cat >/dev/null
        """
}
