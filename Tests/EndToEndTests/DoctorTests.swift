import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `Doctor` {
        private static func checks(
            _ folder: String, port: String, authority: String, _ more: [String] = []
        ) throws -> [[String: Any]] {
            let text = """
                listen: 127.0.0.1:0
                admin_listen: 127.0.0.1:0
                database: "postgres:///turnpike?host=\(folder)"
                data_dir: \(folder)
                pepper_file: \(folder)/pepper
                backends:
                  cloud:
                    kind: openai
                    base_url: https://localhost:\(port)/v1
                    api_key_env: [FIRST, SECOND]
                    allow_private_addresses: true
                \(authority)
                models:
                  demo: { backends: [cloud], context_tokens: 1024, max_completion_tokens: 512 }
                """
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/turnpike.yaml"))
            let end = try RunningProgram.run(
                Installation.program(),
                ["admin", "doctor", "--config", "\(folder)/turnpike.yaml", "--format", "json"]
                    + more, environment: ["FIRST": "sk-good", "SECOND": "sk-revoked"])
            // The database is not there, which is a fault of its own.
            #expect(end.status == 1)
            for secret in ["sk-good", "sk-revoked"] {
                #expect(!(end.output + end.complaint).contains(secret))
            }
            let found = try JSONSerialization.jsonObject(with: Data(end.output.utf8))
            return (found as? [[String: Any]] ?? []).filter {
                ($0["check"] as? String)?.hasSuffix(" cloud") == true
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `asks an upstream with each key, and reads its certificate`() async throws {
            try await onOwnThread {
                let folder = FileManager.default.temporaryDirectory
                    .appending(path: UUID().uuidString).path
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true)
                // A folder left in the temporary directory harms nobody.
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let upstream = try RunningProgram.start(
                    Installation.python(), ["\(Installation.scripts)/secure_models.py", folder])
                defer { upstream.signal(SIGKILL, wholeGroup: false) }
                let port = String(try upstream.line(containing: "port ").dropFirst(5))
                let known = try Self.checks(
                    folder, port: port, authority: "    ca_file: \(folder)/tls.pem")
                #expect(known.map { $0["state"] as? String } == ["ok", "fault", "warning"])
                #expect((known[1]["finding"] as? String)?.contains("SECOND") == true)
                #expect((known[2]["finding"] as? String)?.contains("in 2 days") == true, "\(known)")
                // Nobody that this machine trusts has signed it.
                let stranger = try Self.checks(folder, port: port, authority: "")
                #expect(stranger.map { $0["state"] as? String } == ["fault", "fault"])
                #expect((stranger[0]["finding"] as? String)?.contains("certificate") == true)
                let offline = try Self.checks(folder, port: "1", authority: "", ["--offline"])
                #expect(offline.map { $0["state"] as? String } == ["ok"])
            }
        }
    }
}
