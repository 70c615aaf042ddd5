import JSON

extension JSONParser {
    /// The object that a chunk of an answer, or the whole of it, is. Throws `malformed` for anything
    /// else.
    func object(_ bytes: ArraySlice<UInt8>) throws(BackendFailure) -> JSONValue {
        let root: JSONValue
        do throws(JSONError) {
            root = try parse(bytes).root
        } catch {
            // Not quoted: unlike an error's text, this is likely a piece of the answer itself.
            throw BackendFailure(kind: .malformed, detail: "\(error), in \(bytes.count) bytes")
        }
        guard root.kind == .object else {
            throw BackendFailure(kind: .malformed, detail: "the JSON is no object")
        }
        return root
    }
}
