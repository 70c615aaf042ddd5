import JSON

/// Changes to JSON objects that are kept as text.
enum ObjectText {
    /// An object, with a member of this name where it has none. One that cannot be read is given
    /// back as it is.
    static func adding(_ name: String, _ value: String?, to object: JSONFragment) -> [UInt8] {
        guard let value, let root = read(object.bytes), root[name] == nil else {
            return object.bytes
        }
        var json = JSONWriter(capacity: object.bytes.count + 64)
        json.beginObject()
        json.key(name)
        json.string(value)
        for member in root.members {
            json.key(member.key)
            json.value(member.value)
        }
        json.endObject()
        return json.finish()
    }

    /// The text of an object, written anew; nil if it is none.
    static func rewritten(_ text: String) -> [UInt8]? {
        guard let root = read(Array(text.utf8)) else { return nil }
        return JSONFragment(root).bytes
    }

    private static func read(_ bytes: [UInt8]) -> JSONValue? {
        let parser = JSONParser(
            maximumBytes: max(1, bytes.count), maximumDepth: 64, maximumNodes: 1_000_000,
            checkDuplicateKeys: false)
        // What cannot be read is no object, whatever is wrong with it.
        guard let root = try? parser.parse(bytes).root, root.kind == .object else { return nil }
        return root
    }
}
