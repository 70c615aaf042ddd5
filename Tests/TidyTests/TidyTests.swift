import Foundation
import Testing

private let rules =
    ImportRules.all + CodeRules.all + SQLRules.all + PortabilityRules.all + SizeRules.all

@Suite struct Tidy {
    @Test(arguments: rules)
    func `the repository keeps the rule`(_ rule: TidyRule) {
        for finding in TidyRepository.files.flatMap(rule.findings(in:)) {
            Issue.record("\(finding)")
        }
    }

    @Test(arguments: rules)
    func `the rule catches what breaks it and nothing else`(_ rule: TidyRule) {
        #expect(!rule.bad.isEmpty && !rule.good.isEmpty)
        for sample in rule.bad {
            let found = rule.check(TidyFile(path: sample.path, text: sample.text))
            #expect(!found.isEmpty, "not caught: \(sample.text.prefix(80))")
        }
        for sample in rule.good {
            let found = rule.check(TidyFile(path: sample.path, text: sample.text))
            #expect(found.isEmpty, "wrongly caught: \(sample.text.prefix(80))")
        }
    }

    @Test func `the rules look at the repository's files`() {
        let paths = TidyRepository.files.map(\.path)
        #expect(paths.filter { $0.hasPrefix("Sources/") }.count > 50)
        #expect(paths.contains("Tests/TidyTests/TidyTests.swift"))
        #expect(paths.contains("Package.swift"))
    }

    @Test func `only what belongs there stands at the top`() throws {
        let allowed: Set = [
            "Package.swift", "Package.resolved", "Sources", "Tests", "db", "deploy", "README.md",
            "LICENSE",
        ]
        let names = try FileManager.default.contentsOfDirectory(atPath: TidyRepository.root.path)
        #expect(names.filter { !$0.hasPrefix(".") && !allowed.contains($0) } == [])
    }
}

@Suite struct SwiftTexts {
    @Test func `comments and strings are kept apart from code`() {
        let text = SwiftText(
            #"""
            let a = "x // y" // z
            /* one /* two */ three */ let b = #"\(q) " w"#
            let c = "p\(d("e"))f\"g"
            """#)
        #expect(text.code == [#"let a = "" "#, #" let b = """#, #"let c = "d("")""#])
        #expect(text.comments == ["// z", "/* one /* two */ three *", ""])
        #expect(text.literals.map(\.text) == ["x // y", #"\(q) " w"#, "e", #"pf\"g"#])
    }

    @Test func `a literal of several lines begins where it begins`() {
        let text = SwiftText("let a = 1\nlet b = \"\"\"\n    SELECT\n    \"\"\"\nlet c = 2")
        #expect(text.literals == [SwiftText.Literal(line: 2, text: "\n    SELECT\n    ")])
        #expect(text.code.count == 5)
        #expect(text.code[4] == "let c = 2")
    }
}
