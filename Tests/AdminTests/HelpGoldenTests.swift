import ArgumentParser
import Foundation
import Testing

@testable import Admin

/// What every command says of itself.
@Suite struct `Help texts` {
    /// Every command of the tree with its path, hidden ones included.
    private static func all(
        _ command: any ParsableCommand.Type, _ path: [String] = []
    ) -> [(path: [String], command: any ParsableCommand.Type)] {
        let path = path + [command._commandName]
        return [(path, command)]
            + command.configuration.subcommands.flatMap { all($0, path) }
    }

    @Test func `each command's help is what its golden file says`() throws {
        let files = GoldenFiles("help")
        var names: Set<String> = []
        for (path, command) in Self.all(AdminCommand.self) {
            let name = path.joined(separator: "-") + ".txt"
            #expect(names.insert(name).inserted)
            let help = AdminCommand.helpMessage(for: command, columns: 80)
            try files.expect(help + "\n", in: name)
        }
        try files.expectNoOthers(than: names)
    }

    @Test func `each command says what it is for in one line of 66 characters at most`() {
        for (path, command) in Self.all(AdminCommand.self).dropFirst() {
            let abstract = command.configuration.abstract
            #expect(abstract.hasSuffix("."), "\(path)")
            #expect(abstract.count <= 66, "\(path): \(abstract.count)")
        }
    }

    @Test func `nothing is recorded where CI is set`() {
        let record = ["TURNPIKE_RECORD_GOLDEN": "1"]
        #expect(GoldenFiles("help", environment: record).isRecording)
        #expect(
            !GoldenFiles("help", environment: record.merging(["CI": "true"]) { $1 }).isRecording)
        #expect(!GoldenFiles("help", environment: [:]).isRecording)
    }
}
