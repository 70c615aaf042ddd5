import Yams

/// A piece of a YAML file and the line on which it begins.
struct DocumentNode {
    /// What the piece is.
    enum Content {
        case scalar(String)
        case list([DocumentNode])
        case mapping([Entry])
    }

    /// One pair of a mapping.
    struct Entry {
        let key: String
        let line: Int
        let value: DocumentNode
        /// The line of the same key earlier in this mapping, if there is one.
        var earlierLine: Int?
    }

    let line: Int
    let content: Content

    /// The word for what it is, in an error.
    var kind: String {
        switch content {
        case .scalar: "a single value"
        case .list: "a list"
        case .mapping: "a group of keys"
        }
    }
}

/// Reads YAML into nodes. The rest of this target does not know the YAML library.
struct DocumentReader {
    let file: String

    /// Far more than any configuration needs; keeps a file that multiplies itself through aliases
    /// small.
    private static let mostNodes = 100_000
    private static let deepest = 16
    /// A private-use character that marks the earlier of two equal keys, so that reading can go on.
    private static let mark = "\u{F8FF}"

    private var nodes = 0

    init(file: String) { self.file = file }

    /// The whole file as a node.
    mutating func read(_ text: String) throws(ConfigurationFailure) -> DocumentNode {
        guard !text.contains(Self.mark) else {
            throw failure(line: nil, "is not YAML: the character U+F8FF is not allowed")
        }
        guard let root = try compose(text) else {
            throw failure(line: nil, "is empty; it needs at least \(Self.needed)")
        }
        return try convert(root, depth: 0)
    }

    private static let needed = "database, data_dir, pepper_file, backends and models"

    /// Parses, and when a mapping has one key twice, marks the first and parses again: the library
    /// stops at such a key without saying where the second one stands, and one run should name
    /// every problem.
    private func compose(_ text: String) throws(ConfigurationFailure) -> Node? {
        var text = text
        for _ in 0..<100 {
            do {
                return try Parser(yaml: text).singleRoot()
            } catch YamlError.duplicatedKeysInMapping(_, let context) {
                guard let marked = marking(text, at: context.mark) else {
                    throw failure(line: context.mark.line, "the same key appears twice")
                }
                text = marked
            } catch let error as YamlError {
                throw translate(error)
            } catch {
                throw failure(line: nil, "is not YAML: \(error)")
            }
        }
        throw failure(line: nil, "has more than a hundred keys that appear twice")
    }

    private func marking(_ text: String, at mark: Mark) -> String? {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.indices.contains(mark.line - 1) else { return nil }
        var scalars = Array(lines[mark.line - 1].unicodeScalars)
        var column = mark.column - 1
        guard scalars.indices.contains(column) else { return nil }
        if scalars[column] == "\"" || scalars[column] == "'" { column += 1 }
        scalars.insert(contentsOf: Self.mark.unicodeScalars, at: column)
        lines[mark.line - 1] = String(String.UnicodeScalarView(scalars))
        return lines.joined(separator: "\n")
    }

    private mutating func convert(
        _ node: Node, depth: Int
    ) throws(ConfigurationFailure) -> DocumentNode {
        nodes += 1
        let line = node.mark?.line ?? 1
        guard nodes <= Self.mostNodes, depth <= Self.deepest else {
            throw failure(line: line, "is nested too deep or too large for a configuration")
        }
        switch node {
        case .scalar(let scalar):
            return DocumentNode(line: line, content: .scalar(scalar.string))
        case .sequence(let sequence):
            var list: [DocumentNode] = []
            for element in sequence { list.append(try convert(element, depth: depth + 1)) }
            return DocumentNode(line: line, content: .list(list))
        case .mapping(let mapping):
            return DocumentNode(
                line: line, content: .mapping(try entries(of: mapping, depth: depth)))
        case .alias:
            throw failure(line: line, "an alias that leads nowhere")
        }
    }

    private mutating func entries(
        of mapping: Node.Mapping, depth: Int
    ) throws(ConfigurationFailure) -> [DocumentNode.Entry] {
        var entries: [DocumentNode.Entry] = []
        var earlier: [String: Int] = [:]
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                throw failure(line: key.mark?.line, "a key is a single word here")
            }
            let line = scalar.mark?.line ?? 1
            let marks = scalar.string.prefix { String($0) == Self.mark }.count
            if marks > 0 {
                earlier[String(scalar.string.dropFirst(marks))] = line
                continue
            }
            entries.append(
                DocumentNode.Entry(
                    key: scalar.string, line: line, value: try convert(value, depth: depth + 1)))
        }
        for index in entries.indices { entries[index].earlierLine = earlier[entries[index].key] }
        return entries
    }

    private func translate(_ error: YamlError) -> ConfigurationFailure {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            failure(line: mark.line, "is not YAML: \(problem)")
        case .reader(let problem, _, _, _):
            failure(line: nil, "is not YAML: \(problem)")
        default:
            failure(line: nil, "is not YAML")
        }
    }

    private func failure(line: Int?, _ message: String) -> ConfigurationFailure {
        ConfigurationFailure(problems: [
            ConfigurationProblem(file: file, line: line, key: nil, message: message)
        ])
    }
}
