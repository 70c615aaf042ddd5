import Foundation

/// A file that rules look at: where it is in the repository, and its text.
struct TidyFile: Sendable {
    /// From the repository's root, with slashes.
    let path: String
    let lines: [String]
    let text: String

    /// Its parts by kind; empty for what is not Swift.
    let swift: SwiftText

    init(path: String, text: String) {
        self.path = path
        swift = SwiftText(path.hasSuffix(".swift") ? text : "")
        self.text = text
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    var isSource: Bool { path.hasPrefix("Sources/") && path.hasSuffix(".swift") }
    var isTest: Bool { path.hasPrefix("Tests/") && path.hasSuffix(".swift") }
    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The target it belongs to.
    var target: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : ""
    }

    /// Whether it is one of `places`, each a file or a folder with a slash at its end.
    func isIn(_ places: [String]) -> Bool {
        places.contains { $0.hasSuffix("/") ? path.hasPrefix($0) : path == $0 }
    }

    /// The lines, from 1, whose code matches. Only lines that hold one of `words` are tried, which
    /// is a hundred times quicker.
    func codeLines(matching pattern: some RegexComponent, mentioning words: [String]) -> [Int] {
        guard words.contains(where: text.contains) else { return [] }
        return swift.code.enumerated().compactMap { index, line in
            guard words.contains(where: line.contains) else { return nil }
            return line.firstMatch(of: pattern) == nil ? nil : index + 1
        }
    }
}

/// Something that breaks a rule.
struct TidyFinding: Hashable, CustomStringConvertible {
    let path: String
    let line: Int
    let rule: String
    let reason: String

    var description: String { "\(path):\(line): \(rule) — \(reason)" }
}

/// The files of the repository.
enum TidyRepository {
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every text file that rules look at, by path.
    static let files: [TidyFile] = {
        var files: [TidyFile] = []
        let manager = FileManager.default
        for top in ["Sources", "Tests", "db", "deploy", "README.md", "Package.swift"] {
            let start = root.appending(path: top)
            let below = manager.enumerator(atPath: start.path)?.compactMap { $0 as? String } ?? []
            for path in below.map({ "\(top)/\($0)" }) + [top] {
                let isText = [".swift", ".md", ".sql", ".yaml"].contains(where: path.hasSuffix)
                guard isText, !path.contains("/__Snapshots__/"),
                    let data = manager.contents(atPath: root.appending(path: path).path)
                else { continue }
                files.append(TidyFile(path: path, text: String(decoding: data, as: UTF8.self)))
            }
        }
        return files.sorted { $0.path < $1.path }
    }()

    /// Whether a path of the repository exists.
    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }
}
