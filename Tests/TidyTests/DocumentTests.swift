import Foundation
import Testing

@Suite struct Documents {
    @Test func `migrations are numbered from one without gaps`() throws {
        let folder = TidyRepository.root.appending(path: "db/migrations").path
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(!names.isEmpty)
        #expect(Migrations.faults(in: names) == [])
    }

    @Test func `a gap, a repetition and a bad name are caught`() {
        #expect(Migrations.faults(in: ["0001_a.sql", "0003_b.sql"]).count == 1)
        #expect(Migrations.faults(in: ["0001_a.sql", "0001_b.sql"]).count == 1)
        #expect(Migrations.faults(in: ["1_a.sql"]).count == 1)
        #expect(Migrations.faults(in: ["0001_a_b.sql", "0002_c.sql"]) == [])
    }

    @Test func `the program carries the migrations of the folder`() throws {
        for file in TidyRepository.files where file.path.hasPrefix("db/migrations/") {
            let name = try #require(file.path.split(separator: "/").last)
            let carried = TidyRepository.root
                .appending(path: "Sources/Ledger/Migrator/Migrations/\(name)")
            let text = try String(contentsOf: carried, encoding: .utf8)
            #expect(text == file.text, "\(name) differs")
        }
    }

    @Test func `every configuration key stands in the example and the reverse`() throws {
        let keys = try #require(
            TidyRepository.files.first {
                $0.path == "Sources/TurnpikeConfiguration/ConfigurationKeys.swift"
            })
        let example = try #require(
            TidyRepository.files.first { $0.path == "deploy/turnpike.example.yaml" })
        let read = Set(
            keys.swift.literals.map(\.text).filter { $0.wholeMatch(of: #/[a-z][a-z_]*/#) != nil })
        // The names that the file chooses itself.
        let names: Set = ["local", "openai", "claude", "demo", "flex", "research", "alerts"]
        let shown = ExampleKeys.keys(of: example.lines).subtracting(names)
        #expect(read.count > 20)
        #expect(read.subtracting(shown) == [], "missing in the example")
        #expect(shown.subtracting(read) == [], "in the example and never read")
    }

    @Test func `a key of the example is found, also in a comment`() {
        #expect(
            ExampleKeys.keys(of: ["a: 1", "  # b: 2   # c", "# a sentence: no", "x-y:", "  d:"])
                == ["a", "b", "d"])
    }

    @Test func `every path that a document names exists`() {
        for file in TidyRepository.files where file.path.hasSuffix(".md") {
            for (line, path) in DocumentPaths.paths(in: file) where !TidyRepository.exists(path) {
                Issue.record("\(file.path):\(line): there is no \(path); readers will look for it")
            }
        }
    }

    @Test func `a path in a document is found`() {
        let file = TidyFile(
            path: "db/README.md",
            text: "See `Sources/No/Such.swift` and [it](migrations/0009_no.sql),\n"
                + "`db/migrations/NNNN_x.sql`, `a/b`, [web](https://a.b/c), [part](#part).\n")
        #expect(
            DocumentPaths.paths(in: file).map(\.path) == [
                "Sources/No/Such.swift", "db/migrations/0009_no.sql",
            ])
    }
}

private enum Migrations {
    static func faults(in names: [String]) -> [String] {
        names.sorted().enumerated().compactMap { index, name in
            guard let match = name.wholeMatch(of: #/(\d{4})_[a-z0-9_]+\.sql/#) else {
                return "\(name) is not named NNNN_what_it_does.sql"
            }
            return Int(match.1) == index + 1 ? nil : "\(name) should have the number \(index + 1)"
        }
    }
}

private enum ExampleKeys {
    static func keys(of lines: [String]) -> Set<String> {
        Set(
            lines.compactMap { line in
                line.firstMatch(of: #/^\s*(?:# |- )?([a-z][a-z_]*):(?:\s|$)/#).map { String($0.1) }
            })
    }
}

private enum DocumentPaths {
    /// The paths of the repository that a document names in backticks or links to.
    static func paths(in file: TidyFile) -> [(line: Int, path: String)] {
        let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
        return file.lines.enumerated().flatMap { index, line in
            let named = line.matches(
                of: #/`((?:Sources|Tests|db|deploy|\.ci)/[\w./+-]*)`/#
            ).map { String($0.1) }
            let linked = line.matches(of: #/\]\(([^)#:\s]+)\)/#).map { match in
                folder.isEmpty ? String(match.1) : "\(folder)/\(match.1)"
            }
            return (named + linked).filter { !$0.contains("NNNN") }.map { (index + 1, $0) }
        }
    }
}
