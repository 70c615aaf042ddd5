import JSON

/// Parts that are neither text nor images. Each holds its bytes itself, but for a file that lies at
/// the upstream: nothing is fetched for a client.
extension ContentPartReader {
    /// `{data, format}`.
    static func audio(_ value: JSONValue, _ path: String) throws(RequestFault) -> AudioPart {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        let text = try required(value, "data", path)
        guard let format = value["format"], !format.isNull else { throw .missing("\(path).format") }
        return try audio(
            text, try ParameterReading.word(format, "\(path).format"), "\(path).data")
    }

    /// `{content}`: base64, or a data URI of it; the bytes themselves say which format they have.
    static func audioContent(_ value: JSONValue, _ path: String) throws(RequestFault) -> AudioPart {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        let text = try required(value, "content", path)
        let data = DataURI(text)?.data ?? text
        // What "RIFF" begins with in base64.
        return try audio(data, data.hasPrefix("UklG") ? .wav : .mp3, "\(path).content")
    }

    private static func audio(
        _ data: String, _ format: AudioPart.Format, _ path: String
    ) throws(RequestFault) -> AudioPart {
        guard let bytes = Base64.decoded(data.utf8) else {
            throw .value(path, expected: "audio in base64; nothing is fetched")
        }
        guard let most = AudioLength.mostMilliseconds(bytes, format) else {
            throw .value(path, expected: "uncompressed WAV or MP3 audio, as its format says")
        }
        return AudioPart(data: data, format: format, mostMilliseconds: most)
    }

    /// `{url}`, or only the URL as some systems have it.
    static func video(_ value: JSONValue, _ path: String) throws(RequestFault) -> VideoPart {
        let isBare = value.kind == .string
        guard isBare || value.kind == .object else {
            throw .type(path, expected: "an object or a string")
        }
        let place = isBare ? path : "\(path).url"
        let text =
            isBare ? try ParameterReading.string(value, path) : try required(value, "url", path)
        guard let uri = DataURI(text), uri.mediaType.hasPrefix("video/") else {
            throw .value(
                place, expected: "a data URI with a video in base64; others are not fetched")
        }
        return VideoPart(data: uri.data, mediaType: uri.mediaType)
    }

    /// `{filename, file_data}` or `{filename, file_id}`.
    static func file(_ value: JSONValue, _ path: String) throws(RequestFault) -> FilePart {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        var name: String?
        if let given = value["filename"], !given.isNull {
            name = try short(given, "\(path).filename")
        }
        if let id = value["file_id"], !id.isNull {
            if let data = value["file_data"], !data.isNull {
                throw .contradiction("\(path).file_id", "\(path).file_data")
            }
            let text = try short(id, "\(path).file_id")
            guard !text.isEmpty else { throw .value("\(path).file_id", expected: "an id") }
            return FilePart(source: .id(text), name: name)
        }
        let text = try required(value, "file_data", path)
        let data = DataURI(text)?.data ?? text
        guard Base64.decoded(data.utf8) != nil else {
            throw .value(
                "\(path).file_data", expected: "a file in base64, or a data URI of it")
        }
        return FilePart(source: .data(text), name: name)
    }

    private static func short(_ value: JSONValue, _ path: String) throws(RequestFault) -> String {
        let text = try ParameterReading.string(value, path)
        guard text.unicodeScalars.count <= ParameterLimits.longestFileName else {
            throw RequestFault(
                "Invalid '\(path)': must be at most \(ParameterLimits.longestFileName) characters "
                    + "long.", parameter: path, code: .stringAboveMaxLength)
        }
        return text
    }

    private static func required(
        _ value: JSONValue, _ name: String, _ path: String
    ) throws(RequestFault) -> String {
        guard let text = value[name], !text.isNull else { throw .missing("\(path).\(name)") }
        return try ParameterReading.string(text, "\(path).\(name)")
    }
}

/// A `data:` URI (RFC 2397) in base64.
struct DataURI {
    /// Such as `audio/wav`.
    let mediaType: String
    /// What stands behind the comma, not looked at.
    let data: String

    /// Takes a URI apart; nil for any other, and for one with parameters that nobody needs.
    init?(_ text: String) {
        guard let comma = text.utf8.firstIndex(of: UInt8(ascii: ",")),
            text.utf8.distance(from: text.utf8.startIndex, to: comma) <= 128
        else { return nil }
        let head = text[..<comma]
        guard head.hasPrefix("data:"), head.hasSuffix(";base64") else { return nil }
        let type = head.dropFirst(5).dropLast(7)
        let isPlain = type.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "/.+-_".utf8.contains(byte)
        }
        guard isPlain, type.utf8.contains(UInt8(ascii: "/")) else { return nil }
        mediaType = String(type)
        data = String(text[text.utf8.index(after: comma)...])
    }
}
