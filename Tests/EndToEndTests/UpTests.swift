import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `One machine, one command` {
        @Test(.timeLimit(.minutes(2)))
        func `the first start gives a key and a curl that works, the second has the same data`()
            async throws
        {
            let up = try UpInstallation()
            try await onOwnThread {
                var running: UpInstallation.Running?
                defer { up.remove(running) }
                let first = try up.start()
                running = first
                #expect(first.family.contains { $0.name == "llama-server" })
                #expect(first.family.contains { $0.name == "postgres" })
                let shown = first.program.written()
                let secret = try up.firstKey()
                #expect(shown.output.components(separatedBy: secret).count == 3, "\(shown.output)")
                #expect(!shown.complaint.contains(secret))
                try Self.expectModes(up)
                let answer = try Self.paste(shown.output)
                #expect(answer.contains("Paris"), "\(answer)")
                #expect(try up.requests() == 1)
                #expect(try up.admin(["key", "list"]).count == 1)
                try up.interrupt(first)

                let second = try up.start()
                running = second
                let again = second.program.written()
                #expect(!(again.output + again.complaint).contains(secret))
                #expect(try Self.paste(again.output).contains("Paris"))
                #expect(try up.requests() == 2)
                #expect(try up.firstKey() == secret)
                for process in second.family {
                    #expect(!MachineProcesses.commandLine(process.id).contains(secret))
                }
                try up.interrupt(second)
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func `a kill leaves no process behind, and the next start settles what was open`()
            async throws
        {
            let up = try UpInstallation()
            try await onOwnThread {
                var running: UpInstallation.Running?
                defer { up.remove(running) }
                let first = try up.start()
                running = first
                // An engine that stands still keeps the request open.
                let engine = try #require(first.family.first { $0.name == "llama-server" })
                kill(engine.id, SIGSTOP)
                let connection = try HTTPConnection(port: first.port)
                connection.send(
                    key: try up.firstKey(),
                    body: ServedGateway.prompt("Hello", model: "demo", more: #","max_tokens":9"#))
                _ = try eventually("the request is open in the ledger") {
                    try up.count("SELECT count(*) FROM reservation") == 1 ? true : nil
                }
                first.program.signal(SIGKILL)
                let killed = ContinuousClock.now
                _ = try eventually("no process is left", within: .seconds(10)) {
                    MachineProcesses.running(of: first.family).isEmpty ? true : nil
                }
                print("All processes were gone \(ContinuousClock.now - killed) after the kill.")

                let second = try up.start()
                running = second
                _ = try eventually("the open request is settled", within: .seconds(30)) {
                    try up.count("SELECT count(*) FROM reservation") == 0 ? true : nil
                }
                #expect(
                    // Nothing was delivered, and the journal knows it: void, not the bound.
                    try up.count("SELECT count(*) FROM usage WHERE basis = 5 AND charged = 0") == 1)
                #expect(try up.count("SELECT coalesce(sum(reserved), 0)::int8 FROM lease") == 0)
                #expect(try Self.paste(second.program.written().output).contains("Paris"))
                try up.interrupt(second)
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func `a first start that fails on its address leaves the key to be shown by the next`()
            async throws
        {
            let up = try UpInstallation()
            try await onOwnThread {
                var running: UpInstallation.Running?
                defer { up.remove(running) }
                let taken = try ScriptedUpstream { _ in [] }
                defer { taken.stop() }
                let failed = try up.launch(listen: "127.0.0.1:\(taken.port)").end(
                    within: .seconds(60))
                #expect(failed.status == 1)
                #expect(failed.complaint.contains("127.0.0.1:\(taken.port) is in use"))
                let second = try up.start()
                running = second
                #expect(second.program.written().output.contains(try up.firstKey()))
                try up.interrupt(second)
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func `an interrupt during the start ends it well and leaves nothing`() async throws {
            let up = try UpInstallation()
            try await onOwnThread {
                defer { up.remove(nil) }
                let program = try up.launch()
                // The engine loads its model now.
                _ = try program.line(containing: "listening on")
                let family = MachineProcesses.family(of: program.id)
                program.signal(SIGINT, wholeGroup: true)
                let end = try program.end()
                #expect(end.status == 0, "\(end.complaint)")
                #expect(MachineProcesses.running(of: family).isEmpty)
            }
        }

        /// Runs the very lines that were shown.
        private static func paste(_ shown: String) throws -> String {
            let lines = shown.components(separatedBy: "\n")
            let start = try #require(lines.firstIndex { $0.contains("  curl http") })
            let end = try #require(lines[start...].firstIndex { !$0.hasSuffix("\\") })
            let command = lines[start...end].joined(separator: "\n")
            let run = try RunningProgram.run("/bin/sh", ["-c", command])
            #expect(run.status == 0, "\(run.complaint)")
            return run.output
        }

        /// Nobody else may read the key, the pepper or the configuration.
        private static func expectModes(_ up: UpInstallation) throws {
            for name in ["first-key", "pepper"] {
                let attributes = try FileManager.default.attributesOfItem(
                    atPath: "\(up.folder)/\(name)")
                #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
            }
            let folder = try FileManager.default.attributesOfItem(atPath: up.folder)
            #expect((folder[.posixPermissions] as? Int ?? 0o777) & 0o066 == 0)
        }
    }
}
