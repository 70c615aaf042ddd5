import Domain
import JSON

/// Writes the parameters that are particular to OpenAI's API: what the client set, and the rest is
/// left to the upstream.
enum OpenAIParameters {
    /// Writes the parameters of `call`, its bound under the name that the upstream knows.
    static func write(
        _ call: BackendCall, bound: Dialect.BoundParameter,
        extras: Set<OpenAIUpstreamConfiguration.ExtraParameter>, to json: inout JSONWriter
    ) {
        let request = call.request
        switch bound {
        case .maxCompletionTokens: json.key("max_completion_tokens")
        case .maxTokens: json.key("max_tokens")
        }
        json.integer(call.completionBound)
        if request.choices > 1 {
            json.key("n")
            json.integer(request.choices)
        }
        json.member("temperature", request.temperature)
        json.member("top_p", request.topP)
        json.member("frequency_penalty", request.frequencyPenalty)
        json.member("presence_penalty", request.presencePenalty)
        if let seed = request.seed {
            json.key("seed")
            json.integer(seed)
        }
        if request.tellsLogprobs {
            json.key("logprobs")
            json.bool(true)
            if let top = request.topLogprobs {
                json.key("top_logprobs")
                json.integer(top)
            }
        }
        writeExtras(request, extras, to: &json)
        json.member("reasoning_effort", request.reasoning.effort?.rawValue)
        json.member("verbosity", request.verbosity?.rawValue)
        json.member("user", request.user)
        json.member("safety_identifier", request.safetyIdentifier)
        json.member("prompt_cache_key", request.promptCacheKey)
        write(request.caching, to: &json)
        json.member("service_tier", request.serviceTier?.rawValue)
        if request.isStored { writeStored(request, to: &json) }
        ForwardedAdditions.write(request, to: &json)
        if let prediction = request.prediction {
            json.key("prediction")
            json.beginObject()
            json.member("type", "content")
            ForwardedMessage.write(
                prediction, in: .openAI(bound: bound, extras: extras), to: &json)
            json.endObject()
        }
    }

    /// Has the answer stored, under the notes that it is to be found by.
    private static func writeStored(_ request: ChatCompletionRequest, to json: inout JSONWriter) {
        json.member("store", true)
        guard !request.metadata.isEmpty else { return }
        json.key("metadata")
        json.beginObject()
        for entry in request.metadata {
            json.key(entry.key)
            json.string(entry.value)
        }
        json.endObject()
    }

    private static func write(_ caching: PromptCaching, to json: inout JSONWriter) {
        if caching.hasOptions {
            json.key("prompt_cache_options")
            json.beginObject()
            json.member("mode", caching.mode?.rawValue)
            json.member("ttl", caching.lifetime?.rawValue)
            json.endObject()
        }
        json.member("prompt_cache_retention", caching.retention?.rawValue)
    }

    /// Writes what goes beyond OpenAI's API. Nothing is here that the upstream does not understand:
    /// such a request was refused by name, unless it asks for what is so anyway.
    private static func writeExtras(
        _ request: ChatCompletionRequest,
        _ extras: Set<OpenAIUpstreamConfiguration.ExtraParameter>, to json: inout JSONWriter
    ) {
        if let topK = request.topK {
            json.key("top_k")
            json.integer(topK)
        }
        if extras.contains(.minP) { json.member("min_p", request.minP) }
        if extras.contains(.repetitionPenalty) {
            json.member("repetition_penalty", request.repetitionPenalty)
        }
        let reasoning = request.reasoning
        if !reasoning.isSeparate {
            json.key("separate_reasoning")
            json.bool(false)
        }
        // Where there is no switch of its own for thinking, it is a variable of the template.
        let thinking = reasoning.isSaidByEffort ? nil : reasoning.isEnabled
        let isSwitch = extras.contains(.enableThinking)
        if isSwitch { json.member("enable_thinking", thinking) }
        guard !reasoning.templateArguments.isEmpty || (thinking != nil && !isSwitch) else { return }
        json.key("chat_template_kwargs")
        json.beginObject()
        for argument in reasoning.templateArguments {
            json.key(argument.name)
            json.raw(argument.value.bytes)
        }
        if !isSwitch { json.member("enable_thinking", thinking) }
        json.endObject()
    }

    /// The first parameter that the upstream has no name for, which understands `extras` beside
    /// OpenAI's; nil if it has one for all.
    static func unsupported(
        in request: ChatCompletionRequest,
        beside extras: Set<OpenAIUpstreamConfiguration.ExtraParameter>
    ) -> String? {
        let reasoning = request.reasoning
        func named(
            _ extra: OpenAIUpstreamConfiguration.ExtraParameter, if isAsked: Bool
        ) -> (OpenAIUpstreamConfiguration.ExtraParameter, String?) {
            (extra, isAsked ? extra.rawValue : nil)
        }
        let asked = [
            named(.topK, if: request.topK != nil),
            // What changes nothing asks for nothing: clients send defaults they never chose.
            named(.minP, if: request.minP ?? 0 != 0),
            named(.repetitionPenalty, if: request.repetitionPenalty ?? 1 != 1),
            named(.separateReasoning, if: !reasoning.isSeparate),
            named(.templateArguments, if: !reasoning.templateArguments.isEmpty),
            named(
                .enableThinking,
                if: reasoning.isEnabled != nil && !reasoning.isSaidByEffort
                    && !extras.contains(.templateArguments)),
            named(.prediction, if: request.prediction != nil),
            named(.store, if: request.isStored),
            named(.moderation, if: request.moderation != nil),
            (.channel, request.firstHiddenChannel),
            (.audio, request.speech == nil ? request.firstSpoken : "modalities"),
            (
                .customTools,
                request.firstCustomTool(
                    among: extras.contains(.allowedTools)
                        ? request.tools.functions : request.tools.narrowed.functions)
            ),
        ]
        return asked.first { $0.1 != nil && !extras.contains($0.0) }?.1
    }
}

extension ReasoningOptions {
    /// Whether thinking is off by OpenAI's own word for that, an effort of none.
    fileprivate var isSaidByEffort: Bool { isEnabled == false && effort == .some(.none) }
}
