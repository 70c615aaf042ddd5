import Foundation
import Postgres
import Testing

/// A folder in which `turnpike up` keeps everything, and its starts.
struct UpInstallation: Sendable {
    /// One start, once it serves.
    struct Running: Sendable {
        let program: RunningProgram
        let port: Int
        /// It and everything it started.
        let family: Set<MachineProcesses.Known>
    }

    /// `--data-dir`.
    let folder: String

    /// Takes a new folder.
    init() throws {
        var template = Array("/tmp/turnpike-up-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXError(.EIO) }
        let parent = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
        // The account that PostgreSQL runs as passes through, so that all of it lies in the folder.
        chmod(parent, 0o711)
        // One that is not there yet, as at a first start.
        folder = parent + "/state"
    }

    /// Runs the command.
    func launch(listen: String = "127.0.0.1:0") throws -> RunningProgram {
        try RunningProgram.start(
            Installation.program(),
            ["up", "--data-dir", folder, "--listen", listen, "--admin-listen", "127.0.0.1:0"],
            environment: [
                "LLAMA_SERVER": Installation.engine(),
                "TURNPIKE_DEMO_MODEL": Installation.model(),
            ])
    }

    /// Starts, and waits until it serves.
    func start() throws -> Running {
        let program = try launch()
        _ = try program.line(containing: "Stop it:")
        let line = try program.line(containing: "Turnpike serves on http://")
        let digits = line.split(separator: ":").last?.prefix { $0.isNumber } ?? ""
        _ = try eventually("the file that says it is ready") { isThere("ready") ? true : nil }
        return Running(
            program: program, port: try #require(Int(digits), "\(line)"),
            family: MachineProcesses.family(of: program.id))
    }

    /// Ctrl-C at its terminal; it must end well and leave no process.
    func interrupt(_ running: Running) throws {
        running.program.signal(SIGINT, wholeGroup: true)
        let end = try running.program.end()
        #expect(end.status == 0, "\(end.complaint)")
        let left = MachineProcesses.running(of: running.family)
        #expect(left.isEmpty, "\(left)")
        #expect(!isThere("ready"))
    }

    /// Removes everything, also what a failed test left running.
    func remove(_ running: Running?) {
        for process in running.map({ MachineProcesses.running(of: $0.family) }) ?? [] {
            kill(process.id, SIGKILL)
        }
        // Where that account cannot get to the folder, the database lies elsewhere and is linked.
        if let elsewhere = try? FileManager.default.destinationOfSymbolicLink(
            atPath: "\(folder)/postgres")
        {
            try? FileManager.default.removeItem(atPath: elsewhere)
        }
        // What cannot be removed stays in the temporary folder and harms nobody.
        try? FileManager.default.removeItem(
            at: URL(filePath: folder).deletingLastPathComponent())
    }

    /// Whether a file is in the folder.
    func isThere(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/\(name)")
    }

    /// The first key.
    func firstKey() throws -> String {
        try String(contentsOfFile: "\(folder)/first-key", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What an admin command answers, as rows.
    func admin(_ words: [String]) throws -> [[String: Any]] {
        let end = try RunningProgram.run(
            Installation.program(),
            ["admin"] + words + ["--config", "\(folder)/turnpike.yaml", "--format", "json"])
        try #require(end.status == 0, "\(end.complaint)")
        let value = try JSONSerialization.jsonObject(with: Data(end.output.utf8))
        return value as? [[String: Any]] ?? []
    }

    /// Requests so far, by the books.
    func requests() throws -> Int {
        try admin(["usage", "--by", "model"]).reduce(0) { $0 + ($1["requests"] as? Int ?? 0) }
    }

    /// The single number of a query in its private database.
    func count(_ sql: String) throws -> Int64 {
        let text = try String(contentsOfFile: "\(folder)/turnpike.yaml", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("database: ") })
        let url = line.dropFirst("database: ".count).trimmingCharacters(in: ["'"])
        let connection = try PostgresConnection(url: url, options: PostgresConnectionOptions())
        defer { connection.close() }
        let result = try connection.execute(
            PostgresCommand(PostgresStatement(name: nil, sql: sql), []))
        return try result.rows[0].int8(0)
    }
}
