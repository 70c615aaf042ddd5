import JSON

/// The texts in a JSON object, such as a call's arguments: each is looked at, and replaced, by
/// itself.
///
/// A check that read and changed the JSON as one text would miss what stands behind an escape, and
/// a replacement beside one, or of a number, would leave no JSON.
struct ObjectTexts {
    private let root: JSONValue

    /// Takes an object apart; nil for a text that is none.
    init?(_ text: String) {
        let parser = JSONParser(
            maximumBytes: max(1, text.utf8.count), maximumDepth: 64, maximumNodes: 100_000,
            checkDuplicateKeys: false)
        // What is no JSON is no object either.
        guard let root = try? parser.parse(text).root, root.kind == .object else { return nil }
        self.root = root
    }

    /// Each name of a member, and each string and number behind the name that it has: what a number
    /// is often only its name tells.
    var texts: [String] {
        var texts: [String] = []
        Self.collect(root, under: "", into: &texts)
        return texts
    }

    /// The object with other texts, which are taken from the front of `texts`: as many as there are.
    func rewritten(from texts: inout ArraySlice<String>) -> String {
        var json = JSONWriter(capacity: 256)
        Self.write(root, under: "", from: &texts, to: &json)
        return String(decoding: json.finish(), as: UTF8.self)
    }

    private static func collect(
        _ value: JSONValue, under name: String, into texts: inout [String]
    ) {
        switch value.kind {
        case .object:
            for member in value.members {
                texts.append(member.key)
                collect(member.value, under: member.key, into: &texts)
            }
        case .array: for element in value.elements { collect(element, under: name, into: &texts) }
        case .string, .integer, .unsigned, .double:
            texts.append(prefix(name) + (value.string ?? number(value)))
        case .bool, .null: break
        }
    }

    private static func write(
        _ value: JSONValue, under name: String, from texts: inout ArraySlice<String>,
        to json: inout JSONWriter
    ) {
        switch value.kind {
        case .object:
            json.beginObject()
            for member in value.members {
                json.key(texts.removeFirst())
                write(member.value, under: member.key, from: &texts, to: &json)
            }
            json.endObject()
        case .array:
            json.beginArray()
            for element in value.elements { write(element, under: name, from: &texts, to: &json) }
            json.endArray()
        case .string, .integer, .unsigned, .double:
            let (told, text) = (value.string ?? number(value), texts.removeFirst())
            if ends(text, with: prefix(name) + told) || ends(text, with: ": " + told) {
                // Also where its name was replaced.
                json.value(value)
            } else if text.utf8.starts(with: prefix(name).utf8) {
                json.string(
                    String(decoding: text.utf8.dropFirst(prefix(name).utf8.count), as: UTF8.self))
            } else {
                // What stands for name and value together says no more than either.
                json.string(text)
            }
        case .bool, .null: json.value(value)
        }
    }

    private static func ends(_ text: String, with end: String) -> Bool {
        text.utf8.reversed().starts(with: end.utf8.reversed())
    }

    private static func prefix(_ name: String) -> String { name.isEmpty ? "" : name + ": " }

    private static func number(_ value: JSONValue) -> String {
        String(decoding: JSONFragment(value).bytes, as: UTF8.self)
    }
}
