import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `A configuration file that changes` {
        private static func model(_ name: String) -> String {
            "  \(name): { backends: [upstream], context_tokens: 4096, max_completion_tokens: 99 }\n"
        }

        /// The gateway's file with one more model.
        private static func file(_ gateway: ServedGateway, with name: String) throws -> String {
            try String(contentsOfFile: gateway.configuration, encoding: .utf8)
                .replacing("models:\n", with: "models:\n" + model(name))
        }

        private static func write(_ text: String, _ path: String) throws {
            try Data(text.utf8).write(to: URL(filePath: path))
        }

        /// Gives a file another name, over what is there.
        private static func move(_ path: String, over other: String) throws {
            guard rename(path, other) == 0 else { throw POSIXError(.EIO) }
        }

        /// Waits for a line of the log that has all of `words`.
        private static func line(_ gateway: ServedGateway, _ words: String...) throws -> String {
            // Sooner than a file is read whose writer has it open still.
            try eventually("the log says: \(words)", within: .seconds(4)) {
                gateway.program.written().complaint.split(separator: "\n").map(String.init)
                    .first { line in words.allSatisfy { line.contains($0) } }
            }
        }

        /// How often the log has said it.
        private static func times(_ gateway: ServedGateway, _ words: String) -> Int {
            gateway.program.written().complaint.split(separator: "\n").count { $0.contains(words) }
        }

        private static func isServed(
            _ model: String, _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey
        ) throws -> Bool {
            try gateway.post(key, ServedGateway.prompt("Hi", model: model)).status == 200
        }

        @Test(.timeLimit(.minutes(1)))
        func
            `is read when it is replaced, written in place, and swapped behind a link or a folder`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let (folder, file) = (gateway.folder, gateway.configuration)
                let key = try gateway.makeKey()
                // As most editors and programs do.
                try Self.write(try Self.file(gateway, with: "replaced"), "\(folder)/new")
                try Self.move("\(folder)/new", over: file)
                _ = try Self.line(gateway, "was reloaded", "added=replaced")
                #expect(try Self.isServed("replaced", gateway, key))
                // As `cat > file` does: its writer is half way for a while.
                let text = try Self.file(gateway, with: "inplace")
                try Self.write(text, "\(folder)/copy")
                let handle = try #require(FileHandle(forWritingAtPath: file))
                try handle.truncate(atOffset: 0)
                try handle.write(contentsOf: Data(text.utf8.prefix(700)))
                // Longer than the quarter of a second after which one that was closed is read.
                for _ in 0..<2 {
                    let words = ["admin", "team", "list", "--config", "\(folder)/copy"]
                    _ = try RunningProgram.run(Installation.program(), words)
                }
                try handle.write(contentsOf: Data(text.utf8.dropFirst(700)))
                try handle.close()
                _ = try Self.line(gateway, "was reloaded", "added=inplace", "removed=none")
                // As Kubernetes mounts a ConfigMap: the file is a link through a link to a folder.
                let files = FileManager.default
                for (version, model) in [("..1", "first"), ("..2", "second")] {
                    try files.createDirectory(
                        atPath: "\(folder)/\(version)", withIntermediateDirectories: false)
                    try Self.write(
                        try Self.file(gateway, with: model), "\(folder)/\(version)/turnpike.yaml")
                }
                try files.createSymbolicLink(
                    atPath: "\(folder)/..data", withDestinationPath: "..1")
                try files.createSymbolicLink(
                    atPath: "\(folder)/link", withDestinationPath: "..data/turnpike.yaml")
                try Self.move("\(folder)/link", over: file)
                _ = try Self.line(gateway, "was reloaded", "added=first")
                try files.createSymbolicLink(
                    atPath: "\(folder)/..tmp", withDestinationPath: "..2")
                try Self.move("\(folder)/..tmp", over: "\(folder)/..data")
                _ = try Self.line(gateway, "was reloaded", "added=second", "removed=first")
                // The new place is watched as the old one was.
                try Self.write(
                    try Self.file(gateway, with: "third"), "\(folder)/..2/turnpike.yaml")
                _ = try Self.line(gateway, "was reloaded", "added=third")
                #expect(try Self.isServed("third", gateway, key))
                #expect(Self.times(gateway, "was refused") == 0)
                #expect(Self.times(gateway, "was reloaded") == 5)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `and is bad keeps the old one, says so in the log and to probes, until it is right`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let key = try gateway.makeKey()
                let good = try Self.file(gateway, with: "later")
                try Self.write(good + "drain_timeoot: 3s\n", gateway.configuration)
                let refusal = try Self.line(gateway, "was refused", "drain_timeoot")
                #expect(refusal.contains(gateway.configuration + ":"), "\(refusal)")
                #expect(try Self.isServed("scripted", gateway, key))
                #expect(try !Self.isServed("later", gateway, key))
                // Ready all the same: what it serves is right.
                let warned = try gateway.get(nil, "/readyz", port: gateway.adminPort)
                #expect(warned.status == 200)
                #expect((warned.json["warnings"] as? [String])?.count == 1, "\(warned.text)")
                try FileManager.default.removeItem(atPath: gateway.configuration)
                _ = try Self.line(gateway, "was refused", "no such file")
                try Self.write(good, gateway.configuration)
                _ = try Self.line(gateway, "was reloaded", "added=later")
                #expect(try Self.isServed("later", gateway, key))
                let calm = try gateway.get(nil, "/readyz", port: gateway.adminPort)
                #expect(calm.text == #"{"status":"ready"}"#)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `waits for a signal where an operator wants it so`() async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(
                    withEngine: false, settings: "reload_on_change: false")
                defer { gateway.discard() }
                let good = try Self.file(gateway, with: "later")
                let key = try gateway.makeKey()
                try Self.write(good, gateway.configuration)
                // For four times as long as a change needs to settle.
                let end = ContinuousClock.now + .seconds(1)
                while ContinuousClock.now < end {
                    #expect(try !Self.isServed("later", gateway, key))
                }
                gateway.program.signal(SIGHUP)
                _ = try Self.line(gateway, "was reloaded", "added=later")
                #expect(try Self.isServed("later", gateway, key))
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `while the ledger is away comes in force once that is back, and not before`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                // It holds something to serve from meanwhile.
                #expect(try Self.isServed("scripted", gateway, key))
                let good = try Self.file(gateway, with: "later")
                try gateway.database.takeAway()
                try Self.write(good, gateway.configuration)
                _ = try gateway.program.line(containing: "was refused by the ledger")
                let later = ServedGateway.prompt("Hi", model: "later")
                #expect(try gateway.post(key, later).code == "model_not_found")
                #expect(try Self.isServed("scripted", gateway, key))
                try gateway.database.bringBack()
                // Nobody touches the file, and nobody sends a signal.
                _ = try gateway.program.line(containing: "was reloaded")
                #expect(try Self.isServed("later", gateway, key))
                #expect(Self.times(gateway, "was refused by the ledger") == 1)
                // In the organization's shard; the register of prices has it in its own.
                #expect(
                    try gateway.count(
                        "SELECT count(*) FROM model WHERE name = 'later' AND shard <> 0") == 1)
            }
        }
    }
}
