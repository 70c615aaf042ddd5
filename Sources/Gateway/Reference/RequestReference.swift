/// The objects inside of a request.
enum RequestReference {
    /// One object that the document has once.
    typealias Named = (name: String, schema: ReferenceSchema)

    /// All of them.
    static let objects: [Named] = [
        message, ("MessageToolCall", ToolSchemas.call), ("FunctionCall", ToolSchemas.functionCall),
        ("TextPart", textPart), ("ImagePart", imagePart),
        ("RefusalPart", refusalPart), ("AudioPart", MediaReference.audio),
        ("AudioContentPart", MediaReference.audioContent), ("VideoPart", MediaReference.video),
        ("FilePart", MediaReference.file), ("Tool", ToolSchemas.tool),
        ("Function", ToolSchemas.function),
        ("CustomTool", ToolSchemas.custom), ("CustomToolFormat", ToolSchemas.format),
        ("FunctionName", ToolSchemas.functionName), ("ToolChoice", ToolSchemas.choice),
        ("StreamOptions", stream),
        ("ResponseFormat", format), ("Prediction", prediction), ("InputChecks", input),
        ("OutputChecks", output), ("AudioOutput", AdditionReference.audio),
        ("WebSearch", AdditionReference.search), ("Moderation", AdditionReference.moderation),
        ("SpokenAnswer", AdditionReference.history),
    ]

    private static let message: Named = (
        "Message",
        .object([
            .required("role", .words(ChatMessage.Role.self).saying("Who speaks.")),
            ReferenceSchema.Property(
                name: "content",
                schema: .choice([
                    .string,
                    .array(
                        .choice(
                            [
                                "TextPart", "ImagePart", "AudioPart", "AudioContentPart",
                                "VideoPart", "FilePart", "RefusalPart",
                            ].map { .named($0) }),
                        1...Int.max),
                ]).orNull.saying(
                    "What is said. Null or absent only in an assistant message with calls, a "
                        + "refusal or sound.")),
            .optional(
                "name",
                .string.saying("The speaker's name; of a `function` message the function's.")),
            .optional(
                "tool_calls",
                .array(.named("MessageToolCall"), 0...ParameterLimits.mostTools)
                    .saying("The calls that an assistant made.")),
            .optional(
                "function_call",
                .named("FunctionCall").saying("The older form of `tool_calls`.")),
            .optional(
                "tool_call_id",
                .string.saying("Which call a `tool` message answers; required in it.")),
            .optional(
                "reasoning_content",
                .string.saying("An assistant's reasoning, for templates that keep it.")),
            .optional("reasoning", .string.saying("The same, where the other is absent or empty.")),
            .optional("refusal", .string.saying("What an assistant said instead of an answer.")),
            .optional(
                "audio",
                .choice([.named("SpokenAnswer"), nothing])
                    .saying("What an assistant said in sound.")),
            .optional(
                "channel",
                .words(MessageChannel.self).saying(
                    "Whom an assistant spoke to, for models that tell; other backends take `final` "
                        + "only.")),
        ])
        .following(RequestRules.message)
    )

    /// An object without members, which says nothing.
    private static let nothing = ReferenceSchema(type: "object", atMost: 0)

    private static let textPart = ReferenceSchema.object([
        .required("type", .words(["text"])), .required("text", .string),
    ])

    private static let refusalPart = ReferenceSchema.object([
        .required("type", .words(["refusal"])), .required("refusal", .string),
    ]).saying("In assistant messages.")

    private static let imagePart = {
        var url = ReferenceSchema.string.saying(
            "A data URI with an image in base64; other addresses are not fetched.")
        url.pattern = "^data:image/[!-+.-~-]{0,46};base64,[A-Za-z0-9+/=]+$"
        let image = ReferenceSchema.object([
            .required("url", url),
            .optional(
                "detail",
                .words(ImagePart.Detail.self).saying("How closely the model looks.")
                    .defaulting(to: .string(ImagePart.Detail.auto.rawValue))),
        ])
        return ReferenceSchema.object([
            .required("type", .words(["image_url"])),
            .required("image_url", .choice([image, url])),
        ]).saying("In user messages, for models that see images.")
    }()

    private static let stream = ReferenceSchema.object([
        .optional(
            "include_usage",
            .bool.saying("Whether a last chunk, without choices, tells the usage.")
                .defaulting(to: false)),
        .optional(
            "include_obfuscation",
            .bool.saying(
                "Whether chunks are padded, so that their lengths tell less of the text."
            )
            .defaulting(to: false)),
    ])

    private static let prediction = ReferenceSchema.object([
        .required("type", .words(["content"])),
        .required("content", .choice([.string, .array(.named("TextPart"), 1...Int.max)])),
    ])

    private static let format = ReferenceSchema.choice([
        .object([.required("type", .words(["text"]))]),
        .object([
            .required("type", .words(["json_object"])),
            ReferenceSchema.Property(
                name: "schema",
                schema: .null.saying("Refused: a schema belongs to the type `json_schema`.")),
        ]),
        .object([
            .required("type", .words(["json_schema"])),
            .required(
                "json_schema",
                .object([
                    .required("name", .name),
                    .required("schema", .anyObject.saying("The JSON Schema of the answer.")),
                    .optional("description", .string),
                    .optional("strict", .bool),
                ])),
        ]),
    ])

    private static let input = ReferenceSchema.object([
        .optional(
            "pii",
            .words(RequestDraft.PersonalDataMode.self).saying(
                "Refuses a request with personal data in it, or hides the data from the model."
            ).defaulting(inWords: "no check")),
        .optional(
            "pii_replace_method",
            .words(ReplacementMethod.self).saying(
                "What stands in its place: random characters, an invented value, the name of its "
                    + "kind, or asterisks. Only when `pii` is `replace`."
            ).defaulting(to: .string(ReplacementMethod.random.rawValue))),
        .optional(
            "entity_list",
            .array(.string, 0...ParameterLimits.mostEntities)
                .saying("Kinds of personal data to leave as they are, such as `EMAIL_ADDRESS`.")),
        .optional(
            "block_prompt_injection",
            .bool.saying(
                "Refuses messages of users or tools that try to override the model's instructions. "
                    + judged)),
    ]).following(RequestRules.input)

    private static let output = ReferenceSchema.object([
        .optional(
            "factuality",
            .bool.saying("Withholds an answer that states what is not so. " + judgedAnswer)),
        .optional(
            "toxicity",
            .bool.saying("Withholds an answer that insults, threatens or hates. " + judgedAnswer)),
    ])

    private static let judged = "A model judges; refused where none is set up."
    private static let judgedAnswer = "Not with `stream`; the answer is charged. " + judged
}
