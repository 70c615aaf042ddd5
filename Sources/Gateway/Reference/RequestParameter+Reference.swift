import Domain

extension RequestParameter.Main {
    /// What the reference says of a parameter.
    func schema(_ limits: ReferenceLimits) -> ReferenceSchema {
        switch self {
        case .model:
            .string(1...ParameterLimits.longestModelName)
                .saying(
                    "The model's name, one of `GET /v1/models`. Its bytes in UTF-8 count.")
        case .messages:
            .choice([.array(.named("Message"), 1...Int.max), .string])
                .saying("The conversation so far. A string stands for one user message.")
        case .stream:
            .bool.saying("Whether the answer comes piece by piece, as server-sent events.")
                .defaulting(to: false)
        case .streamOptions:
            .named("StreamOptions").saying("Allowed only when `stream` is true.")
        case .maxTokens:
            .integer(ParameterLimits.completionTokens)
                .saying("The older name of `max_completion_tokens`. Both may be given if equal.")
        case .maxCompletionTokens:
            .integer(ParameterLimits.completionTokens)
                .saying(
                    "The most tokens that each choice may have, reasoning included. Quotas hold as "
                        + "much of it back as the answer may need while it runs."
                )
                .defaulting(inWords: "the key's, or else the gateway's or the model's limit")
        case .stop:
            .choice([.string(1...Int.max), .array(.string(1...Int.max), 1...limits.mostStops)])
                .saying("Texts at which the answer ends. The text itself is not in the answer.")
        }
    }
}

extension RequestParameter.Sampling {
    /// What the reference says of a parameter.
    func schema(_ limits: ReferenceLimits) -> ReferenceSchema {
        switch self {
        case .temperature:
            .number(ParameterLimits.temperature)
                .saying(
                    "How much chance there is in each token; 0 takes the likeliest. A model may "
                        + "take less than 2: 1 where Anthropic's API may answer for it."
                )
                .defaulting(to: .integer(1))
        case .topP:
            .number(ParameterLimits.probability)
                .saying("Draws among the likeliest tokens whose chances add up to this.")
                .defaulting(to: .integer(1))
        case .topK:
            .integer(ParameterLimits.topK).saying("Draws among this many of the likeliest tokens.")
                .defaulting(inWords: "off")
        case .minP:
            .number(ParameterLimits.probability)
                .saying("Leaves out tokens whose chance is below this part of the best one's.")
                .defaulting(to: .integer(0))
        case .repetitionPenalty:
            Self.positive(ParameterLimits.repetitionPenalty)
                .saying("Above 1 makes tokens of the prompt and the answer less likely to return.")
                .defaulting(to: .integer(1))
        case .frequencyPenalty:
            .number(ParameterLimits.penalty)
                .saying("Makes a token less likely with each time that it has appeared.")
                .defaulting(to: .integer(0))
        case .presencePenalty:
            .number(ParameterLimits.penalty)
                .saying("Makes a token less likely once it has appeared.")
                .defaulting(to: .integer(0))
        case .seed:
            .integer(ParameterLimits.seed)
                .saying("The same seed and request give the same answer as far as the backend can.")
                .defaulting(inWords: "chance")
        case .doSample:
            .bool.saying("False is the same as a temperature of 0.").defaulting(to: true)
        case .logitBias: Self.biases
        case .logprobs:
            .bool.saying("Whether each token's log probability is told.").defaulting(to: false)
        case .topLogprobs:
            .integer(ParameterLimits.topLogprobs)
                .saying("How many alternatives are told beside each token. Needs `logprobs`.")
                .defaulting(inWords: "none")
        case .n:
            .integer(1...Int64(limits.mostChoices))
                .saying("How many choices. Each may need, and reserves, a whole completion.")
                .defaulting(to: .integer(1))
        }
    }

    private static func positive(_ range: ClosedRange<Double>) -> ReferenceSchema {
        var schema = ReferenceSchema.number(range)
        schema.excludesMinimum = true
        return schema
    }

    private static let biases = {
        var schema = ReferenceSchema.anyObject.saying(
            "What is added to the logits of tokens, by their numbers in the model's vocabulary.")
        schema.atMost = ParameterLimits.mostBiases
        schema.namePattern = RequestRules.digits(upTo: ParameterReading.largestCount)
        schema.others = [.number(ParameterLimits.bias)]
        return schema
    }()
}

extension RequestParameter.Tools {
    /// What the reference says of a parameter.
    var schema: ReferenceSchema {
        switch self {
        case .tools:
            .array(.named("Tool"), 0...ParameterLimits.mostTools)
                .saying("The tools that the model may call.")
        case .toolChoice:
            .choice([.words(["none", "auto", "required"]), .named("ToolChoice")])
                .saying("Whether it may call none, any, some, or must call one or this one.")
                .defaulting(inWords: "`auto` where there are tools")
        case .parallelToolCalls:
            .bool.saying("Whether one answer may hold several calls.").defaulting(to: true)
        case .functions:
            .array(.named("Function"), 0...ParameterLimits.mostTools)
                .saying(
                    "The older form of `tools`; the answer is in the older form too. Not beside "
                        + "`tools`.")
        case .functionCall:
            .choice([.words(["none", "auto"]), .named("FunctionName")])
                .saying("The older form of `tool_choice`. Not beside it.")
        }
    }
}

extension RequestParameter.Format {
    /// What the reference says of a parameter.
    var schema: ReferenceSchema {
        switch self {
        case .responseFormat:
            .named("ResponseFormat")
                .saying("What form the answer's text has.").defaulting(inWords: "text")
        case .contextLengthExceededBehavior:
            .words(ContextOverflow.self)
                .saying(
                    "What becomes of a request whose prompt and completion do not fit the model's "
                        + "context together: a shorter completion, or an error."
                )
                .defaulting(to: .string(ContextOverflow.truncate.rawValue))
        case .verbosity:
            .words(Verbosity.self).saying("How much the model says, at backends that can.")
        case .prediction:
            .named("Prediction").saying(
                "What the answer will mostly be, for backends that are faster where it is right. "
                    + "What of it does not come true is charged as generated.")
        }
    }
}

extension RequestParameter.Reasoning {
    /// What the reference says of a parameter.
    var schema: ReferenceSchema {
        switch self {
        case .reasoningEffort:
            .words(ReasoningOptions.Effort.self)
                .saying("How hard the model thinks; `none` turns thinking off.")
                .defaulting(inWords: "the model's")
        case .enableThinking:
            .bool.saying("Whether the model thinks before it answers.")
                .defaulting(inWords: "the model's")
        case .separateReasoning:
            .bool.saying(
                "Whether the reasoning is told in `reasoning_content`; it stays in the text "
                    + "otherwise."
            ).defaulting(to: true)
        case .chatTemplateKwargs:
            Self.templateArguments.saying(
                "Variables of the model's chat template. Contradictions are refused.")
        }
    }

    private static let templateArguments = {
        var schema = templateSwitches
        let length = ParameterLimits.templateArgumentLength
        schema.namePattern = "^[\\s\\S]{\(length.lowerBound),\(length.upperBound)}$"
        return schema
    }()

    private static let templateSwitches = ReferenceSchema.object([
        .optional("enable_thinking", .bool.saying("The same as outside.")),
        .optional(
            "reasoning_effort",
            .words(ReasoningOptions.Effort.self).saying("The same as outside.")),
    ])
}

extension RequestParameter.Safeguards {
    /// What the reference says of a parameter.
    var schema: ReferenceSchema {
        switch self {
        case .input: .named("InputChecks").saying("Checks of the messages.")
        case .output: .named("OutputChecks").saying("Checks of the answer.")
        }
    }
}

extension RequestParameter.Account {
    /// What the reference says of a parameter.
    var schema: ReferenceSchema {
        switch self {
        case .user:
            .string.saying(
                "The client's name for its own user, for upstreams that know the field. The gateway "
                    + "keeps a hash of it under a secret of its own, and nowhere the name.")
        case .safetyIdentifier:
            .string(0...ParameterLimits.longestKey).saying("The newer name of `user`.")
        case .promptCacheKey:
            .string.saying("Tells upstreams which requests share a prompt.")
        case .promptCacheOptions:
            .object([
                .optional(
                    "mode",
                    .words(PromptCaching.Mode.self).saying(
                        "Whether the backend keeps of the prompt what it thinks best, or nothing.")
                ),
                .optional(
                    "ttl",
                    .words(PromptCaching.Lifetime.self).saying(
                        "How long at least, at upstreams that promise it.")),
            ]).saying("How the prompt is kept for requests that begin with the same.")
        case .promptCacheRetention:
            .words(PromptCaching.Retention.self).saying(
                "The older form of `prompt_cache_options.ttl`.")
        case .metadata: Self.notes
        case .serviceTier:
            .words(ServiceTier.self).saying(
                "How soon the request is served, of the tiers that the model has, each at its own "
                    + "price.")
        case .store:
            .bool.saying("Whether the upstream keeps the answer for the gateway's operator.")
                .defaulting(to: false)
        }
    }

    private static let notes = {
        var schema = ReferenceSchema.anyObject.saying(
            "Notes of the client: told back with an answer that is not streamed, and sent to nobody "
                + "but an upstream that is to store the answer. "
                + "Keys have at most \(ParameterLimits.longestKey) characters.")
        schema.atMost = ParameterLimits.mostPairs
        schema.namePattern = "^[\\s\\S]{0,\(ParameterLimits.longestKey)}$"
        schema.others = [.string(0...ParameterLimits.longestValue)]
        return schema
    }()
}
