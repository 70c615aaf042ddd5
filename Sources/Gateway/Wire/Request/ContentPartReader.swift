import JSON

/// Reads one part of a message's content.
enum ContentPartReader {
    /// Reads a part of a message of `role`.
    static func part(
        _ value: JSONValue, _ path: String, of role: ChatMessage.Role
    ) throws(RequestFault) -> ContentPart {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        guard let type = value["type"], !type.isNull else { throw .missing("\(path).type") }
        let word = try ParameterReading.string(type, "\(path).type")
        switch word {
        case "text": return .text(try text(value, word, path))
        case "refusal" where role == .assistant: return .text(try text(value, word, path))
        case "refusal": throw .unsupported("\(path).type")
        default: break
        }
        guard let kind = MediaKind(rawValue: word) else {
            let known = ["text"] + MediaKind.allCases.map(\.rawValue)
            throw .value(
                "\(path).type",
                expected: "one of " + known.map { "'\($0)'" }.joined(separator: ", "))
        }
        guard role == .user else {
            throw .value("\(path).type", expected: "'text' but in a user message")
        }
        return try media(kind, value[word], "\(path).\(word)")
    }

    /// What a part may hold beside text, in user messages only.
    private enum MediaKind: String, CaseIterable {
        case image = "image_url"
        case audio = "input_audio"
        /// Another system's name for audio.
        case audioContent = "audio_content"
        case video = "video_url"
        case file
    }

    private static func media(
        _ kind: MediaKind, _ value: JSONValue?, _ path: String
    ) throws(RequestFault) -> ContentPart {
        guard let value, !value.isNull else { throw .missing(path) }
        return switch kind {
        case .image: .image(try image(value, path))
        case .audio: .audio(try audio(value, path))
        case .audioContent: .audio(try audioContent(value, path))
        case .video: .video(try video(value, path))
        case .file: .file(try file(value, path))
        }
    }

    private static func text(
        _ value: JSONValue, _ name: String, _ path: String
    ) throws(RequestFault) -> String {
        guard let text = value[name], !text.isNull else { throw .missing("\(path).\(name)") }
        return try ParameterReading.string(text, "\(path).\(name)")
    }

    /// `{url, detail}`, or only the URL as some systems have it.
    private static func image(
        _ value: JSONValue, _ path: String
    ) throws(RequestFault) -> ImagePart {
        if value.kind == .string {
            return ImagePart(url: try imageURL(value, path), detail: nil)
        }
        guard value.kind == .object else { throw .type(path, expected: "an object or a string") }
        guard let url = value["url"], !url.isNull else { throw .missing("\(path).url") }
        var image = ImagePart(url: try imageURL(url, "\(path).url"), detail: nil)
        if let detail = value["detail"], !detail.isNull {
            image.detail = try ParameterReading.word(detail, "\(path).detail")
        }
        return image
    }

    /// A URL that holds the image itself. Any other would have the backend fetch what a client
    /// names, from wherever the backend stands, or read its files.
    private static func imageURL(_ value: JSONValue, _ path: String) throws(RequestFault) -> String
    {
        let url = try ParameterReading.string(value, path)
        let parts = url.utf8.split(separator: UInt8(ascii: ","), maxSplits: 1)
        guard parts.count == 2, let head = String(parts[0]), head.utf8.count <= 64,
            head.hasPrefix("data:image/"), head.hasSuffix(";base64"),
            // Letters beyond ASCII, which make no media type, are counted otherwise by others.
            head.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), isBase64(parts[1])
        else {
            throw .value(
                path, expected: "a data URI with an image in base64; others are not fetched")
        }
        return url
    }

    private static func isBase64(_ text: Substring.UTF8View) -> Bool {
        !text.isEmpty
            && text.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"),
                    UInt8(ascii: "="):
                    true
                default: false
                }
            }
    }
}
