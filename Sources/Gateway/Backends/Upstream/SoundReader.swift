import JSON

/// Reads `audio` of a backend's choice.
enum SoundReader {
    /// The sound of a delta or a message; nil when there is none. Throws for what is there and
    /// cannot be read: it would be lost to the client and to the count.
    static func sound(in text: JSONValue?) throws(BackendFailure) -> SoundPiece? {
        guard let value = text?["audio"], !value.isNull else { return nil }
        guard value.kind == .object else { throw malformed("`audio` is no object") }
        let piece = SoundPiece(
            id: try string(value["id"]), data: try string(value["data"]),
            transcript: try string(value["transcript"]),
            expiresAt: value["expires_at"]?.exactInteger.map { max(0, $0) })
        return piece == SoundPiece() ? nil : piece
    }

    private static func string(_ value: JSONValue?) throws(BackendFailure) -> String? {
        guard let value, !value.isNull else { return nil }
        guard let string = value.string else { throw malformed("a part of `audio` is no string") }
        return string.isEmpty ? nil : string
    }

    private static func malformed(_ detail: String) -> BackendFailure {
        BackendFailure(kind: .malformed, detail: detail)
    }
}
