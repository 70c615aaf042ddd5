/// What asks an upstream for more than text, and what it answers.
enum AdditionReference {
    private static let short = ReferenceSchema.string(1...ParameterLimits.longestName)

    static let audio = ReferenceSchema.object([
        .required(
            "format",
            .words(SpokenAnswer.Format.self).saying(
                "What the bytes are. In streams only `\(SpokenAnswer.streamed.rawValue)`.")),
        .required(
            "voice",
            .choice([short, .object([.required("id", short)])])
                .saying("One of the upstream's voices, or the id of one that was made there.")),
    ])

    static let search = ReferenceSchema.object([
        .optional(
            "search_context_size",
            .words(WebSearch.ContextSize.self).saying("How much of what is found is read.")),
        .optional(
            "user_location",
            .object([
                .required("type", .words(["approximate"])),
                .required(
                    "approximate",
                    .object([
                        .optional("city", short), .optional("country", country),
                        .optional("region", short), .optional("timezone", short),
                    ])),
            ]).saying("About where the client's user is.")),
    ])

    private static let country = {
        var schema = ReferenceSchema.string(2...2)
        schema.pattern = "^[A-Za-z]{2}$"
        return schema
    }()

    static let moderation = ReferenceSchema.object([
        .required("model", short.saying("The upstream's name of the model that judges.")),
        .optional(
            "policy", .object([.optional("input", policy), .optional("output", policy)])),
    ])

    private static let policy = ReferenceSchema.object([
        .required(
            "mode",
            .words(ModerationRequest.Mode.self).saying("Told of only, or refused too."))
    ])

    /// What an assistant said in sound, in a message of the history.
    static let history = ReferenceSchema.object([
        .required(
            "id",
            short.saying("As the answer told it. What else the answer told is not looked at."))
    ])

    // MARK: Answers

    private static func closed(_ properties: [ReferenceSchema.Property]) -> ReferenceSchema {
        .object(properties, isClosed: true)
    }

    static let sound = closed([
        .required("id", .string.saying("Names it in a later message.")),
        .required("data", .string.saying("Bytes of the format asked for, in base64.")),
        .required("transcript", .string.saying("What is said.")),
        .required(
            "expires_at",
            .count.saying("When the upstream forgets it, in seconds since 1970-01-01 UTC.")),
    ])

    static let soundPiece = closed([
        .sometimes("id", .string), .sometimes("data", .string),
        .sometimes("transcript", .string), .sometimes("expires_at", .count),
    ])

    static let report = closed([
        .required("input", .named("ModerationSide")),
        .required("output", .named("ModerationSide")),
    ]).saying("What the upstream's moderation found, where that was asked for.")

    static let side = ReferenceSchema.choice([
        closed([
            .required("type", .words(["moderation_results"])), .required("model", .string),
            .required("results", .array(.named("ModerationFinding"))),
        ]),
        closed([
            .required("type", .words(["error"])), .required("code", .string),
            .required("message", .string),
        ]),
    ])

    static let finding = closed([
        .required("type", .words(["moderation_result"])), .required("model", .string),
        .required("flagged", .bool),
        .required("categories", map(of: .bool)),
        .required("category_scores", map(of: ReferenceSchema(type: "number"))),
        .required(
            "category_applied_input_types", map(of: .array(.string))),
    ])

    private static func map(of schema: ReferenceSchema) -> ReferenceSchema {
        var map = ReferenceSchema.anyObject
        map.others = [schema]
        return map
    }
}

extension RequestParameter.Additions {
    /// What the reference says of a parameter.
    var schema: ReferenceSchema {
        switch self {
        case .modalities:
            .array(.words(RequestDraft.Modality.self), 1...RequestDraft.Modality.allCases.count)
                .saying(
                    "What the answer is made of; `audio` for models that speak, and with `audio`. "
                        + "Every token of a spoken answer has the price of sound."
                ).defaulting(inWords: "text")
        case .audio:
            .named("AudioOutput").saying("How the answer is spoken. Only with `modalities`.")
        case .webSearchOptions:
            .named("WebSearch").saying(
                "Has the upstream search the web, for models that do, at a fee for the request.")
        case .moderation:
            .named("Moderation").saying(
                "Has the upstream moderate the request and its answer, at upstreams that do.")
        }
    }
}
