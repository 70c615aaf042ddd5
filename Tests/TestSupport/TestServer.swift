import Foundation

/// The Postgres server that tests share.
public enum TestServer {
    /// Why there is no server.
    public struct Failure: Error, CustomStringConvertible {
        /// What is missing.
        public let description: String
        init(_ description: String) { self.description = description }
    }

    /// The URL of the server's maintenance database. Made once per process.
    public static let shared = Result { () throws -> String in
        if let given = ProcessInfo.processInfo.environment["TURNPIKE_TEST_POSTGRES"], !given.isEmpty
        {
            return given
        }
        let started = try startPrivate()
        lifeline = started.lifeline
        return started.url
    }

    /// A server of a test's own, whose settings it may change. Stops when the value goes.
    public final class Own: Sendable {
        /// The maintenance database, as a superuser.
        public let url: String
        private let lifeline: Pipe

        /// Starts the server: about a second.
        public init() throws { (url, lifeline) = try startPrivate() }

        deinit { try? lifeline.fileHandleForWriting.close() }
    }

    /// The server itself, where ``shared`` names a pooler in front of it: for making and dropping
    /// databases. `TURNPIKE_TEST_POSTGRES_DIRECT`, or the same as ``shared``.
    public static var direct: Result<String, any Error> {
        let given = ProcessInfo.processInfo.environment["TURNPIKE_TEST_POSTGRES_DIRECT"] ?? ""
        return given.isEmpty ? shared : .success(given)
    }

    // Makes a cluster, starts it, says so, and waits until its standard input ends, which is when
    // the test process does, in whatever way. Then nothing is left. `$1` the programs' folder, `$2`
    // the folder to live in.
    private static let script = """
        set -e
        cd "$2"
        "$1/initdb" --pgdata="$2/data" --username=postgres --auth=trust --encoding=UTF8 \
            --locale=C.UTF-8 --no-sync >"$2/log" 2>&1
        "$1/pg_ctl" --pgdata="$2/data" --log="$2/log" --wait --timeout=60 --options="\
            -c listen_addresses='' -c unix_socket_directories='$2' -c fsync=off \
            -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 \
            -c shared_buffers=64MB -c autovacuum=off" start >>"$2/log" 2>&1 </dev/null
        echo ready
        exec >/dev/null
        cat >/dev/null || true
        "$1/pg_ctl" --pgdata="$2/data" --mode=immediate --wait stop >/dev/null 2>&1 || true
        rm -rf "$2"
        """

    /// The end of the pipe whose closing stops the server: open for as long as the process lives.
    nonisolated(unsafe) private static var lifeline: Pipe?

    private static func startPrivate() throws -> (url: String, lifeline: Pipe) {
        let folder = try makeFolder()
        let process = Process()
        let arguments = ["sh", "-c", script, "sh", try programs(), folder]
        if getuid() == 0 {
            process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
            process.arguments =
                ["--reuid=postgres", "--regid=postgres", "--init-groups"] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = arguments
        }
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // Other children of this process must not hold the pipe open.
        _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let answer = output.fileHandleForReading.availableData
        guard String(decoding: answer, as: UTF8.self).hasPrefix("ready") else {
            let log = try? String(contentsOfFile: folder + "/log", encoding: .utf8)
            throw Failure("no private Postgres: \(log ?? "it wrote no log")")
        }
        return ("postgres:///postgres?host=\(folder)&user=postgres", input)
    }

    /// A short path, because a socket's may have 107 bytes only.
    private static func makeFolder() throws -> String {
        var template = Array("/tmp/tpk-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("no temporary folder: \(errno)") }
        let folder = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
        if getuid() == 0 {
            guard let user = getpwnam("postgres") else {
                throw Failure("there is no user postgres")
            }
            chown(folder, user.pointee.pw_uid, user.pointee.pw_gid)
        }
        return folder
    }

    /// The folder with the programs of the newest Postgres of this machine.
    private static func programs() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        guard let newest = versions.compactMap(Int.init).max() else {
            throw Failure("PostgreSQL is not installed: nothing in \(root)")
        }
        return "\(root)/\(newest)/bin"
    }
}
