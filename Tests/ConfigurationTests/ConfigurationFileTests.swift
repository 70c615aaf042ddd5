import Domain
import Foundation
import Testing

@testable import TurnpikeConfiguration

@Suite struct ConfigurationFiles {
    /// The folder of the repository.
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let example = root.appending(path: "deploy/turnpike.example.yaml").path

    @Test func `the example file is accepted`() throws {
        let read = try Configuration.load(path: Self.example) { _ in nil }
        #expect(read.routes.map(\.alias) == ["demo", "gpt-4o", "claude"])
        #expect(read.backends.count == 3)
    }

    @Test func `the example file shows the usual values`() throws {
        let example = try Configuration.load(path: Self.example) { _ in nil }
        let usual = try GoodFile.read(
            GoodFile.text.replacing("key_prefix: sk-acme\n", with: ""))
        #expect(example.listen == usual.listen)
        #expect(example.adminListen == usual.adminListen)
        #expect(example.keyPrefix == usual.keyPrefix)
        #expect(example.limits == usual.limits)
        var routing = example.routing
        // Usually there is none.
        routing.deadline = nil
        #expect(routing == usual.routing)
        #expect(example.storesAnswers == usual.storesAnswers)
        #expect(example.drainTimeout == usual.drainTimeout)
        #expect(example.endWait == usual.endWait)
        #expect(example.heartbeatInterval == usual.heartbeatInterval)
        #expect(example.fenceAfter == usual.fenceAfter)
        #expect(example.sweepInterval == usual.sweepInterval)
        guard case .openAI(let shown) = example.backends[1].kind,
            case .openAI(let real) = usual.backends[1].kind
        else {
            Issue.record("the second backend is no upstream")
            return
        }
        #expect(shown.connection == real.connection)
        guard case .anthropic(let told) = example.backends[2].kind,
            case .anthropic(let unsaid) = try GoodFile.anthropic("kind: anthropic")
        else {
            Issue.record("the third backend does not speak Anthropic's API")
            return
        }
        #expect(told.baseURL == unsaid.baseURL && told.version == unsaid.version)
        #expect(told.thinking == unsaid.thinking && told.budgets == unsaid.budgets)
        #expect(told.takesSampling == unsaid.takesSampling)
        #expect(told.connection == unsaid.connection)
    }

    @Test func `the example file shows every key that is read, and no other`() throws {
        let text = try String(contentsOfFile: Self.example, encoding: .utf8)
        // A key that must be left out in most installations stands there as a comment.
        var whole = text
        for key in ["command", "ca_file", "proxy"] {
            whole = whole.replacing("    # \(key):", with: "    \(key):")
        }
        var reader = DocumentReader(file: "example")
        let shown = keys(of: try reader.read(whole), path: [])
        #expect(shown.subtracting(ConfigurationKeys.all) == [])
        #expect(ConfigurationKeys.all.subtracting(shown) == [])
    }

    private func keys(of node: DocumentNode, path: [String]) -> Set<String> {
        var found: Set<String> = []
        if case .list(let nodes) = node.content {
            for node in nodes { found.formUnion(keys(of: node, path: path)) }
        }
        guard case .mapping(let entries) = node.content else { return found }
        for entry in entries {
            let isName =
                path == ["backends"] || path == ["models"] || path == ["webhooks"]
                || path.last == "service_tiers" || path.last == "team_weights"
            let below = path + [isName ? "*" : entry.key]
            if !isName || path.last == "team_weights" {
                found.insert(below.joined(separator: "."))
            }
            found.formUnion(keys(of: entry.value, path: below))
        }
        return found
    }

    @Test func `a file that cannot be read is named`() throws {
        try inFolder { folder in
            #expect(
                failure(folder + "/none.yaml")
                    == "\(folder)/none.yaml: there is no such file; "
                    + "give the path of a configuration file")
            try Data([0xFF, 0xFE, 0x00]).write(to: URL(filePath: folder + "/bytes.yaml"))
            #expect(failure(folder + "/bytes.yaml") == "\(folder)/bytes.yaml: is not UTF-8 text")
            try FileManager.default.createDirectory(
                atPath: folder + "/dir.yaml", withIntermediateDirectories: false)
            #expect(
                failure(folder + "/dir.yaml")
                    == "\(folder)/dir.yaml: cannot be read; give a file that this user may read")
        }
    }

    private func failure(_ path: String) -> String? {
        do {
            _ = try Configuration.load(path: path) { _ in nil }
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `what would keep a gateway from serving is named`() throws {
        try inFolder { folder in
            let text = try GoodFile.text(
                replacing: "v1 }", with: "v1, api_key_env: UPSTREAM_KEY }")
            let read = try Configuration.parse(text, file: folder + "/good.yaml") { _ in nil }
            #expect(
                read.problemsForServing { _ in nil }.map(\.description) == [
                    "\(folder)/good.yaml:7: backends.local.model_file: \"\(folder)/demo.gguf\" "
                        + "cannot be read; give a GGUF file that this user may read",
                    "\(folder)/good.yaml:10: backends.openai.api_key_env: the environment "
                        + "variable UPSTREAM_KEY is not set; it holds the upstream's key",
                ])
            try Data("x".utf8).write(to: URL(filePath: folder + "/demo.gguf"))
            #expect(read.problemsForServing { $0 == "UPSTREAM_KEY" ? "k" : nil } == [])
            #expect(read.problemsForServing { _ in "a\r\nb" }.count == 1)
        }
    }

    @Test(
        arguments: [
            (32, 0o600, nil), (32, 0o640, nil), (31, 0o600, "has only 31 bytes"),
            (0, 0o600, "has only 0 bytes"), (32, 0o644, "may be read by everybody"),
            (5000, 0o600, "has more than 4096 bytes"),
        ] as [(Int, Int, String?)])
    func `a pepper is long enough and private`(
        _ count: Int, _ mode: Int, _ complaint: String?
    ) throws {
        try inFolder { folder in
            let read = try Configuration.parse(GoodFile.text, file: folder + "/good.yaml") { _ in
                nil
            }
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            try Data(bytes).write(to: URL(filePath: read.pepperFile))
            try FileManager.default.setAttributes(
                [.posixPermissions: mode], ofItemAtPath: read.pepperFile)
            do {
                let pepper = try Pepper(for: read)
                let isWhole = pepper.withBytes { $0 == bytes }
                #expect(isWhole)
                #expect(complaint == nil)
            } catch {
                #expect(complaint.map { "\(error)".contains($0) } ?? false, "\(error)")
                #expect("\(error)".hasPrefix("\(folder)/good.yaml: pepper_file: "))
            }
        }
    }

    @Test func `a pepper that is missing or of one byte is refused`() throws {
        try inFolder { folder in
            let read = try Configuration.parse(GoodFile.text, file: folder + "/good.yaml") { _ in
                nil
            }
            #expect(throws: ConfigurationFailure.self) { _ = try Pepper(for: read) }
            try Data(repeating: 7, count: 64).write(to: URL(filePath: read.pepperFile))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600], ofItemAtPath: read.pepperFile)
            #expect(throws: ConfigurationFailure.self) { _ = try Pepper(for: read) }
        }
    }

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "turnpike-configuration-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }
}
