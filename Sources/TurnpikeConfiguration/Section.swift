/// Collects what is wrong with a file while it is read to its end.
final class ProblemList {
    let file: String
    let environment: (String) -> String?
    private(set) var problems: [ConfigurationProblem] = []

    init(file: String, environment: @escaping (String) -> String?) {
        self.file = file
        self.environment = environment
    }

    /// Notes a problem.
    func add(line: Int?, key: String, _ message: String) {
        problems.append(ConfigurationProblem(file: file, line: line, key: key, message: message))
    }
}

/// One group of keys of the file, from which values are taken. Whatever is wrong is noted, and
/// reading goes on.
struct Section {
    /// Its way from the top; empty at the top.
    let path: String
    let line: Int
    private let entries: [String: DocumentNode.Entry]
    /// Names in the file's order.
    let names: [String]
    let list: ProblemList

    /// Takes a node for a section whose keys are among `accepted`; nil accepts any name. Notes a
    /// problem and is nil when the node is no group of keys.
    init?(_ node: DocumentNode, path: String, accepted: [String]?, list: ProblemList) {
        self.path = path
        self.list = list
        line = node.line
        guard case .mapping(let found) = node.content else {
            let words = accepted.map { $0.joined(separator: ", ") } ?? "names"
            list.add(
                line: node.line, key: path.isEmpty ? "the file" : path,
                "is \(node.kind); give a group of keys: \(words)")
            return nil
        }
        names = found.map(\.key)
        entries = Dictionary(found.map { ($0.key, $0) }) { first, _ in first }
        for entry in found {
            if let earlier = entry.earlierLine {
                list.add(
                    line: entry.line, key: full(entry.key),
                    "appears twice; it stands on line \(earlier) already")
            }
            if let accepted, !accepted.contains(entry.key) { refuse(entry, accepted: accepted) }
        }
    }

    /// The value of a key that may be left out.
    func optional<Value>(_ key: String, _ accepted: Accepted<Value>) -> Value? {
        entries[key].flatMap { read($0.value, key: full(key), accepted) }
    }

    /// The value of a key that has a usual value; that one too when the key's own is not accepted.
    func value<Value>(_ key: String, _ accepted: Accepted<Value>, usual: Value) -> Value {
        optional(key, accepted) ?? usual
    }

    /// The value of a key that must be there.
    func required<Value>(_ key: String, _ accepted: Accepted<Value>) -> Value? {
        guard has(key, words: accepted.words) else { return nil }
        return optional(key, accepted)
    }

    /// The values of a list that may be left out, with their lines.
    func values<Value>(
        _ key: String, _ accepted: Accepted<Value>
    ) -> [(value: Value, line: Int)]? {
        guard let entry = entries[key] else { return nil }
        guard case .list(let nodes) = entry.value.content else {
            wrongKind(entry.value, key: full(key), "a list, each \(accepted.words)")
            return nil
        }
        return nodes.enumerated().compactMap { index, node in
            read(node, key: "\(full(key))[\(index)]", accepted).map { ($0, node.line) }
        }
    }

    /// The entries of a list that may be left out, whatever each of them is.
    func items(_ key: String, words: String) -> [DocumentNode]? {
        guard let entry = entries[key] else { return nil }
        guard case .list(let nodes) = entry.value.content else {
            wrongKind(entry.value, key: full(key), words)
            return nil
        }
        return nodes
    }

    /// One value, or a list of them; none where the key is left out.
    func oneOrMore<Value>(_ key: String, _ accepted: Accepted<Value>) -> [Value] {
        guard let entry = entries[key] else { return [] }
        guard case .list = entry.value.content else {
            return optional(key, accepted).map { [$0] } ?? []
        }
        return values(key, accepted)?.map(\.value) ?? []
    }

    /// A group of keys below this one; nil when it is left out or no group. Problems go to `other`
    /// if given.
    func section(
        _ key: String, accepted: [String]?, notingIn other: ProblemList? = nil
    ) -> Section? {
        entries[key].flatMap {
            Section($0.value, path: full(key), accepted: accepted, list: other ?? list)
        }
    }

    /// Whether the key is there; notes a problem when it is not.
    func has(_ key: String, words: String) -> Bool {
        if entries[key] != nil { return true }
        list.add(line: line, key: full(key), "is missing; give \(words)")
        return false
    }

    /// The line of a key, or that of the section.
    func line(of key: String) -> Int { entries[key]?.line ?? line }

    /// A key with its way from the top.
    func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    private func refuse(_ entry: DocumentNode.Entry, accepted: [String]) {
        let guess = EditDistance.nearest(to: entry.key, in: accepted)
        list.add(
            line: entry.line, key: full(entry.key),
            "is no key of a configuration; "
                + (guess.map { "did you mean \"\($0)\"? " } ?? "")
                + "accepted here: \(accepted.joined(separator: ", "))")
    }

    /// Reads a single value; notes a problem and is nil when it is not accepted.
    func read<Value>(
        _ node: DocumentNode, key: String, _ accepted: Accepted<Value>
    ) -> Value? {
        guard case .scalar(let raw) = node.content else {
            wrongKind(node, key: key, accepted.words)
            return nil
        }
        let text: String
        do {
            text = try EnvironmentText.complete(raw, from: list.environment)
        } catch {
            explain(error, line: node.line, key: key)
            return nil
        }
        if let value = accepted.read(text) { return value }
        // The file's own words are quoted, never what the environment put in their place.
        let quoted = accepted.isSecret ? "this value" : "\"\(Self.shortened(raw))\""
        list.add(
            line: node.line, key: key,
            raw.isEmpty
                ? "has no value; give \(accepted.words)"
                : "\(quoted) is not accepted; give \(accepted.words)")
        return nil
    }

    private func wrongKind(_ node: DocumentNode, key: String, _ words: String) {
        list.add(line: node.line, key: key, "is \(node.kind); give \(words)")
    }

    private func explain(_ fault: EnvironmentText.Fault, line: Int, key: String) {
        let message =
            switch fault {
            case .unfinished: "has \"${\" without \"}\"; write ${NAME}, or $${ for the characters"
            case .badName(let name):
                "\"${\(Self.shortened(name))}\" names no environment variable; write ${NAME}"
            case .missing(let name): "the environment variable \(name) is not set"
            }
        list.add(line: line, key: key, message)
    }

    private static func shortened(_ text: String) -> String {
        let plain = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }
        let whole = String(String.UnicodeScalarView(plain))
        return whole.count <= 60 ? whole : "\(whole.prefix(60))…"
    }
}
