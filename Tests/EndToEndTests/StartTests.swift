import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `A start that cannot be` {
        @Test(.timeLimit(.minutes(1)), arguments: ["serve", "migrate"])
        func `a mistake in the configuration is named with its file, line and key`(
            command: String
        ) async throws {
            let file = try Self.file(
                """
                listen: 127.0.0.1:0
                admin_listen: 127.0.0.1:0
                database: postgres:///nowhere
                data_dir: /tmp/none
                pepper_file: /tmp/none/pepper
                drain_timeoot: 3s
                backends:
                  local: { kind: local_engine, model_file: /tmp/none.gguf, slots: many }
                models:
                  demo: { backends: [local], context_tokens: 1024, max_completion_tokens: 512 }
                """)
            let end = try await onOwnThread {
                try RunningProgram.run(Installation.program(), [command, "--config", file])
            }
            #expect(end.status != 0)
            #expect(end.complaint.contains("\(file):6: drain_timeoot"), "\(end.complaint)")
            #expect(end.complaint.contains("drain_timeout"), "\(end.complaint)")
            #expect(end.complaint.contains("\(file):8: backends.local.slots"), "\(end.complaint)")
        }

        @Test(.timeLimit(.minutes(1)))
        func `a missing or short pepper stops the start`() async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let file = try String(contentsOfFile: gateway.configuration, encoding: .utf8)
                for pepper in ["/nowhere/pepper", "\(gateway.folder)/short"] {
                    try Data("too short".utf8).write(to: URL(filePath: "\(gateway.folder)/short"))
                    chmod("\(gateway.folder)/short", 0o600)
                    let text = file.replacing("\(gateway.folder)/pepper", with: pepper)
                        .replacing("/data\n", with: "/other\n")
                    let end = try RunningProgram.run(
                        Installation.program(), ["serve", "--config", Self.file(text)])
                    #expect(end.status != 0)
                    #expect(end.complaint.contains("pepper_file"), "\(end.complaint)")
                    #expect(end.complaint.contains(pepper), "\(end.complaint)")
                }
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a database that was not migrated and an address in use stop the start in words`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let file = try String(contentsOfFile: gateway.configuration, encoding: .utf8)
                let empty = try TestDatabase.makeEmpty()
                let unmigrated = try RunningProgram.run(
                    Installation.program(),
                    [
                        "serve", "--config",
                        Self.file(file.replacing(gateway.database.url, with: empty.url)),
                    ])
                #expect(unmigrated.status != 0)
                #expect(unmigrated.complaint.contains("migrate"), "\(unmigrated.complaint)")
                let taken = try RunningProgram.run(
                    Installation.program(),
                    [
                        "serve", "--config",
                        Self.file(
                            file.replacing(
                                "\nadmin_listen: 127.0.0.1:\(gateway.adminPort)",
                                with: "\nadmin_listen: 127.0.0.1:\(gateway.port)"
                            ).replacing("/data\n", with: "\n")),
                    ])
                #expect(taken.status != 0)
                #expect(taken.complaint.contains("in use"), "\(taken.complaint)")
                #expect(taken.complaint.contains("\(gateway.port)"), "\(taken.complaint)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a second gateway on the same data directory does not start`() async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let file = try String(contentsOfFile: gateway.configuration, encoding: .utf8)
                    .replacing("127.0.0.1:\(gateway.adminPort)", with: "127.0.0.1:0")
                let end = try RunningProgram.run(
                    Installation.program(), ["serve", "--config", Self.file(file)])
                #expect(end.status != 0)
                #expect(end.complaint.contains("\(gateway.folder)/data"), "\(end.complaint)")
                #expect(
                    try gateway.post(gateway.makeKey(), ServedGateway.prompt("Hi")).status == 200)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `an administrator whose ledger is away is told so with status 3`() async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let file = try String(contentsOfFile: gateway.configuration, encoding: .utf8)
                    .replacing(gateway.database.url, with: "postgres:///none?host=/nowhere")
                let end = try RunningProgram.run(
                    Installation.program(), ["admin", "usage", "--config", Self.file(file)])
                #expect(end.status == 3, "\(end.complaint)")
                #expect(end.output.isEmpty)
                #expect(try gateway.admin(["key", "show", "JiuOmJUhE4D"]).status == 1)
                #expect(try gateway.admin(["key", "show"]).status == 2)
            }
        }

        private static func file(_ text: String) throws -> String {
            let file = FileManager.default.temporaryDirectory
                .appending(path: "turnpike-\(UUID().uuidString).yaml").path
            try Data(text.utf8).write(to: URL(filePath: file))
            return file
        }
    }
}
