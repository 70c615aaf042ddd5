import Domain
import JSON

/// Writes the parameters that are particular to llama-server.
enum LlamaServerParameters {
    /// Writes every value that matters, since llama-server's own defaults (temperature 0.8, top_p
    /// 0.95, top_k 40, min_p 0.05) are not those a client of OpenAI's API relies on.
    static func write(_ call: BackendCall, to json: inout JSONWriter) {
        let request = call.request
        json.key("max_tokens")
        json.integer(call.completionBound)
        json.member("temperature", request.temperature ?? 1)
        json.member("top_p", request.topP ?? 1)
        json.key("top_k")
        json.integer(request.topK ?? 0)
        json.member("min_p", request.minP ?? 0)
        json.member("repeat_penalty", request.repetitionPenalty ?? 1)
        json.member("frequency_penalty", request.frequencyPenalty ?? 0)
        json.member("presence_penalty", request.presencePenalty ?? 0)
        if let seed = request.seed {
            json.key("seed")
            json.unsigned(UInt64(engineSeed(seed)))
        }
        if request.seed != nil || request.caching.mode == .explicit {
            // What the cache holds differs from run to run and so would the rounding, and then the
            // text.
            json.key("cache_prompt")
            json.bool(false)
        }
        if request.tellsLogprobs {
            json.key("logprobs")
            json.bool(true)
            // Without a number it tells 20 alternatives, with 0 nothing at all: one is asked for,
            // and left out when the answer is read.
            json.key("top_logprobs")
            json.integer(max(1, request.topLogprobs ?? 0))
        }
        json.key("reasoning_format")
        json.string(request.reasoning.isSeparate ? "deepseek" : "none")
        write(request.reasoning, to: &json)
        json.key("timings_per_token")
        json.bool(true)
    }

    /// Writes the variables of the chat template: thinking and effort are two of them.
    private static func write(_ reasoning: ReasoningOptions, to json: inout JSONWriter) {
        let effort = reasoning.effort == .some(.none) ? nil : reasoning.effort
        guard !reasoning.templateArguments.isEmpty || reasoning.isEnabled != nil || effort != nil
        else { return }
        json.key("chat_template_kwargs")
        json.beginObject()
        for argument in reasoning.templateArguments {
            json.key(argument.name)
            json.raw(argument.value.bytes)
        }
        json.member("enable_thinking", reasoning.isEnabled)
        json.member("reasoning_effort", effort?.rawValue)
        json.endObject()
    }

    /// The first parameter that llama-server cannot honour; nil if it can honour all.
    static func unsupported(in request: ChatCompletionRequest) -> String? {
        // It tells no probabilities in a stream with tools, and it is always streamed from.
        if request.tellsLogprobs && !request.tools.callable.isEmpty { return "logprobs" }
        // Its grammar for a schema leaves no room for calls.
        if request.format != .text && !request.tools.callable.isEmpty { return "response_format" }
        // It has one tier, keeps nothing and takes no text in advance.
        if let tier = request.serviceTier, !tier.isUsual { return "service_tier" }
        if request.isStored { return "store" }
        if request.prediction != nil { return "prediction" }
        // It writes, and does nothing else.
        if let other = request.firstAddition { return other }
        // It knows no such part.
        if let file = request.firstPart(where: { if case .file = $0 { true } else { false } }) {
            return file
        }
        // It keeps prompts until it needs their room, and its templates know no channels.
        if let longLife = request.caching.longLife { return longLife }
        if let channel = request.firstHiddenChannel { return channel }
        // It has no such control.
        if let verbosity = request.verbosity, verbosity != .medium { return "verbosity" }
        // It knows functions only.
        let told = ForwardedTools.told(of: request.tools, in: .llamaServer)
        if let custom = request.firstCustomTool(among: told) { return custom }
        // It goes on with what an assistant has begun, but not with two messages of one.
        let last = request.messages.count - 1
        if last > 0, request.messages.suffix(2).allSatisfy({ $0.role == .assistant }) {
            return "messages[\(last)].role"
        }
        // Its templates take calls apart, and it fails where they are no object.
        for (position, message) in request.messages.enumerated() {
            guard let call = message.toolCalls.firstIndex(where: { !$0.hasObject }) else {
                continue
            }
            return "messages[\(position)].tool_calls[\(call)].function.arguments"
        }
        return nil
    }

    /// A seed modulo 2^32, but for the one value that llama-server reads as "take a random one".
    static func engineSeed(_ seed: Int64) -> UInt32 {
        let reduced = UInt32(truncatingIfNeeded: seed)
        return reduced == .max ? .max - 1 : reduced
    }
}
