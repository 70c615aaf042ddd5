import Domain
import Foundation
import Ledger
import TestSupport
import Testing

@testable import Admin

/// A folder with a configuration file and a pepper, and the database it names.
final class Installation: Sendable {
    let folder: URL
    let database: TestDatabase?

    init(database: TestDatabase?, url: String) throws {
        self.database = database
        folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let pepper = folder.appending(path: "pepper").path
        _ = FileManager.default.createFile(
            atPath: pepper, contents: Data((0..<32).map { UInt8($0) }),
            attributes: [.posixPermissions: 0o600])
        let text = """
            listen: 127.0.0.1:8080
            admin_listen: 127.0.0.1:8081
            database: "\(url)"
            data_dir: \(folder.path)
            pepper_file: \(pepper)
            key_prefix: sk-acme
            backends:
              local: { kind: local_engine, model_file: demo.gguf }
            models:
              demo: { backends: [local], context_tokens: 1024, max_completion_tokens: 512 }
            webhooks:
              alerts: { url: "https://alerts.example/hook", secret_env: TURNPIKE_TEST_WEBHOOK }
            """
        try Data(text.utf8).write(to: folder.appending(path: "turnpike.yaml"))
    }

    convenience init() throws {
        let database = try TestDatabase.make()
        try self.init(database: database, url: database.url)
    }

    deinit {
        // A folder left in the temporary directory harms nobody.
        try? FileManager.default.removeItem(at: folder)
    }

    func run(_ line: String) -> CommandRun {
        let words = line.split(separator: " ").map(String.init)
        let file = folder.appending(path: "turnpike.yaml").path
        return CommandRun.of(
            arguments: words + ["--config", file], width: 80, answer: nil
        ) { file throws(AdminFailure) in
            try ConfiguredLedger.open(
                file, random: LedgerRandom { .random(in: 0 ... .max) }, author: .test)
        }
    }

    func object(_ line: String) throws -> [String: Any] {
        let run = run(line + " --format json")
        #expect(run.status == 0, "\(run.complaint)")
        return try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
            ?? [:]
    }

    func array(_ line: String) throws -> [[String: Any]] {
        let run = run(line + " --format json")
        #expect(run.status == 0, "\(run.complaint)")
        return try JSONSerialization.jsonObject(with: Data(run.output.utf8))
            as? [[String: Any]] ?? []
    }
}
