import ArgumentParser
import Domain
import Foundation
import Testing

@testable import Admin

/// Completions, the manual and colour, as shells and terminals meet them.
@Suite struct `Shell comfort` {
    /// Runs a program on a text; its status and what it printed. Nil when it is not installed.
    private static func run(
        _ program: String, _ arguments: [String], input: String
    ) throws -> (status: Int32, output: String)? {
        let folders = ["/usr/bin", "/bin", "/usr/local/bin"]
        guard
            let path = folders.map({ "\($0)/\(program)" })
                .first(where: FileManager.default.isExecutableFile)
        else { return nil }
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(input.utf8).write(to: file)
        // A file left in the temporary directory harms nobody.
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments.map { $0 == "FILE" ? file.path : $0 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }

    private static func script(_ shell: String) -> String {
        CommandRun.of("completions \(shell)", with: FakeAdminLedger()).output
    }

    /// What bash offers for the words, the last of which is being typed.
    private static func offers(_ words: [String]) throws -> [String] {
        let list = words.map { "'\($0)'" }.joined(separator: " ")
        let bash = """
            shopt -s extglob
            \(script("bash"))
            COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1)
            COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMP_KEY=9
            function_name=$(complete -p admin | sed -E 's/.*-F ([^ ]+) .*/\\1/')
            "$function_name" admin "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let ran = try #require(try run("bash", ["--norc", "FILE"], input: bash))
        #expect(ran.status == 0, "\(ran.output)")
        return ran.output.split(separator: "\n").map { String($0).trimmed }
    }

    @Test func `bash completes commands, their subcommands and their options`() throws {
        let commands = try Self.offers(["admin", ""])
        #expect(commands.contains("team") && commands.contains("reconcile"), "\(commands)")
        #expect(try Self.offers(["admin", "aud"]).contains("audit"))
        let team = try Self.offers(["admin", "team", ""])
        #expect(team.contains("create") && team.contains("list"), "\(team)")
        let options = try Self.offers(["admin", "audit", "--"])
        #expect(options.contains("--complete") && options.contains("--format"), "\(options)")
        let formats = try Self.offers(["admin", "audit", "--format", ""])
        #expect(Set(formats).isSuperset(of: ["table", "json", "csv"]), "\(formats)")
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `the script of each shell is one that the shell can read`(shell: String) throws {
        let script = Self.script(shell)
        #expect(script.contains("reconcile") && script.contains("completions"))
        let ran = try #require(
            try Self.run(shell, ["-n", "FILE"], input: script), "\(shell) is not installed")
        #expect(ran.status == 0, "\(ran.output)")
        #expect(CommandRun.of("completions tcsh", with: FakeAdminLedger()).status == 2)
    }

    @Test func `names of the ledger are offered, and nothing when it cannot be reached`() throws {
        let ledger = FakeAdminLedger()
        let acme = try ledger.createOrganization("acme")
        _ = try ledger.createOrganization("a; rm -rf /")
        let team = try ledger.createTeam("research", in: acme)
        let key = try ledger.mintKey(
            KeyOrder(name: "ci", expiresAt: nil, models: nil, streamsUsage: false), for: team,
            in: acme
        ).key
        func offered(_ body: () -> [String]) -> [String] {
            let environment = AdminEnvironment(
                output: { _ in Output.live(isColourAllowed: false) },
                openLedger: { file throws(AdminFailure) in
                    guard file == "here.yaml" else { throw .refused("Gone.", advice: nil) }
                    return ledger
                }, clock: AdminClock(elapsed: { .zero }, pause: { _ in false }))
            return AdminEnvironment.$current.withValue(environment, operation: body)
        }
        let words = ["turnpike", "admin", "--config", "here.yaml", "--organization=acme"]
        #expect(offered { LedgerCompletions.organizations(words) } == ["default", "acme"])
        #expect(offered { LedgerCompletions.teams(words) } == ["research"])
        #expect(offered { LedgerCompletions.keys(words) } == [key.id.description])
        #expect(offered { LedgerCompletions.teams(["--config", "here.yaml"]) } == [])
        #expect(offered { LedgerCompletions.organizations(["turnpike"]) } == [])
    }

    @Test func `the manual names every command and option, and roff can read it`() throws {
        let page = CommandRun.of("manual", with: FakeAdminLedger()).output
        for word in [
            "admin key create", "admin reconcile", "\\-\\-tolerance <amount>", "EXIT STATUS",
            "TURNPIKE_CONFIG",
        ] { #expect(page.contains(word.replacing("<", with: "<")), "\(word)") }
        let ran = try #require(
            try Self.run("groff", ["-man", "-Tutf8", "-ww", "-z", "FILE"], input: page),
            "groff is not installed")
        #expect(ran.status == 0 && ran.output.isEmpty, "\(ran.output)")
        #expect(ManualPage(dump: "{}") == nil)
    }

    @Test(arguments: ManualTopic.allCases)
    func `each topic fits 80 columns`(topic: ManualTopic) {
        let run = CommandRun.of("manual \(topic.rawValue)", with: FakeAdminLedger())
        #expect(run.status == 0 && !run.output.isEmpty)
        #expect(run.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
    }

    @Test(arguments: [
        (true, true, [:], true), (false, true, [:], false), (true, false, [:], false),
        (true, true, ["NO_COLOR": "1"], false), (true, true, ["NO_COLOR": "0"], false),
        (true, true, ["NO_COLOR": ""], true), (true, true, ["TERM": "dumb"], false),
    ])
    func `colour needs leave, a terminal and nobody who forbids it`(
        isAllowed: Bool, isTerminal: Bool, environment: [String: String], isColoured: Bool
    ) {
        #expect(
            TextStyle.isWanted(isAllowed, isTerminal: isTerminal, environment: environment)
                == isColoured)
    }

    @Test func `escape sequences stand in two files: for emphasis, and for the cursor`() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/Admin").standardizedFileURL
        let files = try #require(
            FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var found: [String] = []
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            if text.contains("\\u{1B}") || text.contains("\\u{1b}") || text.contains("\\e[") {
                found.append(file.lastPathComponent)
            }
        }
        #expect(found.sorted() == ["CursorText.swift", "TextStyle.swift"])
    }
}
