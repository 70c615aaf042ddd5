/// How large a thing may get, and what must not be left behind.
enum SizeRules {
    /// Columns of code.
    static let columns = 100
    /// Columns of a line that is only a comment, which reads well a little wider.
    static let commentColumns = 120
    static let fileLines = 400
    static let functionLines = 60

    static let width = TidyRule(
        name: "a line has at most \(columns) columns (a comment \(commentColumns))",
        reason: "two files fit beside each other; the text of a string may run on",
        check: { file in
            guard file.isSwift else { return [] }
            return file.lines.indices.filter { index in
                guard file.lines[index].count > columns else { return false }
                let code = file.swift.code[index]
                // A regular expression cannot be broken.
                if code.contains("#/") { return false }
                let isComment = code.allSatisfy(\.isWhitespace)
                let comment = file.swift.comments[index]
                return isComment
                    ? !comment.isEmpty && file.lines[index].count > commentColumns
                    : code.count + comment.count > columns
            }.map { $0 + 1 }
        },
        bad: [
            TidyRule.sample("Sources/A/A.swift", "let a = \(String(repeating: "1", count: 100))\n"),
            TidyRule.sample("Sources/A/A.swift", "// \(String(repeating: "a", count: 120))\n"),
        ],
        good: [
            TidyRule.sample("Sources/A/A.swift", "let a = \(String(repeating: "1", count: 92))\n"),
            TidyRule.sample("Sources/A/A.swift", "// \(String(repeating: "a", count: 110))\n"),
            TidyRule.sample("Sources/A/A.swift", "a(\"\(String(repeating: "a", count: 110))\")\n"),
        ])

    static let files = TidyRule(
        name: "a file has at most \(fileLines) lines",
        reason: "what is longer has two main types or two concerns",
        check: { file in
            file.isSwift && file.lines.count > fileLines + 1 ? [fileLines + 1] : []
        },
        bad: [
            TidyRule.sample("Sources/A/A.swift", String(repeating: "//\n", count: 401))
        ],
        good: [
            TidyRule.sample("Sources/A/A.swift", String(repeating: "//\n", count: 400))
        ])

    static let functions = TidyRule(
        name: "a function has at most \(functionLines) lines",
        reason: "it fits a screen",
        check: { file in
            guard file.isSwift else { return [] }
            return FunctionLengths.of(file.swift.code).filter { $0.lines > functionLines }.map(
                \.line)
        },
        bad: [
            TidyRule.sample(
                "Sources/A/A.swift",
                "func a(\n    b: Int\n) {\n\(String(repeating: "    c()\n", count: 58))}\n"),
            TidyRule.sample(
                "Sources/A/A.swift",
                "struct A {\n    init() {\n\(String(repeating: "    c()\n", count: 59))    }\n}\n"),
        ],
        good: [
            TidyRule.sample(
                "Sources/A/A.swift",
                "func a() {\n\(String(repeating: "    c()\n", count: 58))}\n"
                    + "func b() {\n\(String(repeating: "    c()\n", count: 58))}\n"),
            TidyRule.sample(
                "Sources/A/A.swift",
                "protocol A {\n    func a()\n    func b()\n}\n"
                    + "struct B {\n\(String(repeating: "    let c = 1\n", count: 80))}\n"),
        ])

    static let leftovers = TidyRule(
        name: "no TODO or FIXME",
        reason: "it is an issue, or it is done",
        check: { file in
            let words = ["TODO", "FIXME", "XXX", "HACK"]
            guard file.isSwift, words.contains(where: file.text.contains) else { return [] }
            return file.swift.comments.enumerated().compactMap { index, comment in
                comment.firstMatch(of: #/\b(TODO|FIXME|XXX|HACK)\b/#) == nil ? nil : index + 1
            }
        },
        bad: [TidyRule.sample("Sources/A/A.swift", "// TODO: later\n")],
        good: [TidyRule.sample("Sources/A/A.swift", "// done\nlet a = \"TODO\"\n")])

    static let all = [width, files, functions, leftovers]
}

/// How many lines each function of a file has, from its `func` to its brace.
enum FunctionLengths {
    struct Length: Equatable {
        /// Where it begins, from 1.
        let line: Int
        let lines: Int
    }

    private static let words = ["func ", "init", "subscript"]

    /// Of code without comments and strings.
    static func of(_ code: [String]) -> [Length] {
        code.enumerated().compactMap { index, line in
            guard words.contains(where: line.contains),
                let start = line.firstMatch(
                    of:
                        #/^\s*(?:@\w+(?:\([^)]*\))?\s+|[a-z]+(?:\([a-z]+\))?\s+)*(?:func\s|init[?!]?\s*[<(]|deinit\b|subscript\s*[<(])/#
                )
            else { return nil }
            let rest = [String(line[start.range.upperBound...])] + code[(index + 1)...]
            return bodyEnd(rest).map { Length(line: index + 1, lines: $0 + 1) }
        }
    }

    /// The index of the line on which the body ends; nil when there is none, as in a protocol.
    private static func bodyEnd(_ lines: [String]) -> Int? {
        // The pattern may have taken the parenthesis of an initialiser.
        var parentheses = 0
        var braces = 0
        for (index, line) in lines.enumerated() {
            if index > 0, braces == 0, parentheses <= 0,
                line.firstMatch(of: #/^\s*(?:[a-z]+\s+)*(?:func|var|let|init|case|struct)\b/#)
                    != nil
            {
                return nil
            }
            for character in line {
                switch character {
                case "(", "[": if braces == 0 { parentheses += 1 }
                case ")", "]": if braces == 0 { parentheses -= 1 }
                case "{": if braces > 0 || parentheses <= 0 { braces += 1 }
                case "}":
                    if braces == 0, parentheses <= 0 { return nil }
                    if braces > 0 { braces -= 1 }
                    if braces == 0, parentheses <= 0 { return index }
                default: break
                }
            }
        }
        return nil
    }
}
