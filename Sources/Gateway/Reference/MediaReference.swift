/// The parts of a message that are neither text nor images.
enum MediaReference {
    private static let base64 = {
        var schema = ReferenceSchema.string
        schema.pattern = "^\(padded)$"
        return schema
    }()

    /// Base64 with its padding, of at least one byte.
    private static let padded = {
        let digit = "[A-Za-z0-9+/]"
        return "(\(digit){4})*(\(digit){4}|\(digit){3}=|\(digit){2}==)"
    }()

    static let audio = part(
        "input_audio",
        .object([
            .required("data", base64.saying("The recording in base64.")),
            .required(
                "format",
                .words(AudioPart.Format.self).saying("What the bytes are; WAV is not compressed.")),
        ]), "In user messages, for models that hear.")

    static let audioContent = part(
        "audio_content",
        .object([
            .required(
                "content",
                uri("audio/", orBare: true).saying(
                    "The recording in base64, or a data URI of it: WAV or MP3."))
        ]), "Another form of `input_audio`.")

    static let video = {
        let url = uri("video/", orBare: false).saying(
            "A data URI with a video in base64; other addresses are not fetched.")
        return part(
            "video_url", .choice([.object([.required("url", url)]), url]),
            "In user messages, for models that see videos.")
    }()

    static let file = part(
        "file",
        .object([
            .optional("filename", .string(0...ParameterLimits.longestFileName)),
            .optional(
                "file_data",
                uri("", orBare: true).saying("The file in base64, or a data URI of it.")),
            .optional(
                "file_id",
                .string(1...ParameterLimits.longestFileName).saying(
                    "Its id at the upstream, where the model's operator allows that. Not beside "
                        + "`file_data`.")),
        ]).following(RequestRules.file), "In user messages, for models that read files.")

    private static func part(
        _ type: String, _ schema: ReferenceSchema, _ words: String
    ) -> ReferenceSchema {
        ReferenceSchema.object([
            .required("type", .words([type])), .required(type, schema),
        ]).saying(words)
    }

    private static func uri(_ type: String, orBare isBare: Bool) -> ReferenceSchema {
        var schema = ReferenceSchema.string
        let known = type.isEmpty ? "[A-Za-z0-9.+_-]{0,50}/" : type
        let head = "data:\(known)[A-Za-z0-9/.+_-]{0,60};base64,"
        schema.pattern = "^\(isBare ? "(\(head))?" : head)\(padded)$"
        return schema
    }
}
