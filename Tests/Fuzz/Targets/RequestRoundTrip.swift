import Domain
import JSON

@testable import Gateway

/// What is forwarded says what was asked for and nothing else: read again, it is the same request.
enum RequestRoundTrip {
    private static let upstreamModel = "upstream"

    /// Checks what each dialect is sent for a request that was accepted.
    static func check(_ request: ChatCompletionRequest) {
        let extras = Set(OpenAIUpstreamConfiguration.ExtraParameter.allCases)
        let openAI = Dialect.openAI(bound: .maxCompletionTokens, extras: extras)
        Property.require(
            openAI.unsupportedParameter(in: request) == nil, "an upstream lacks a parameter")
        let document = forwarded(request, in: openAI)
        do throws(RequestFault) {
            let again = try ChatCompletionRequestReader.read(
                document.root, mostStops: 4, mostChoices: 128)
            let expected = expected(of: request)
            Property.require(
                again == expected, "what is forwarded reads differently:\n\(again)\n\(expected)")
        } catch {
            Property.require(false, "what is forwarded is refused: \(error)")
        }
        if Dialect.llamaServer.unsupportedParameter(in: request) == nil {
            _ = forwarded(request, in: .llamaServer)
        }
    }

    private static func bound(_ request: ChatCompletionRequest) -> Int64 {
        request.maximumCompletionTokens ?? 77
    }

    /// The body, which is JSON without a name twice and has known members only.
    private static func forwarded(
        _ request: ChatCompletionRequest, in dialect: Dialect
    ) -> JSONDocument {
        let call = BackendCall(
            request: request, upstreamModel: upstreamModel, completionBound: bound(request),
            requestID: RequestID(rawValue: 1))
        let body = ForwardedBody.make(call, in: dialect, streams: request.streams)
        // The older forms of calls and functions are written deeper than they came.
        let parser = JSONParser(
            maximumBytes: 1 << 26, maximumDepth: 70, maximumNodes: 1 << 20)
        do {
            let document = try parser.parse(body)
            for member in document.root.members {
                Property.require(known.contains(member.key), "'\(member.key)' is forwarded")
            }
            return document
        } catch {
            Property.require(false, "what is forwarded is refused: \(error)")
            preconditionFailure("not reached")
        }
    }

    /// What an upstream with every extra parameter is told of `request`.
    private static func expected(of request: ChatCompletionRequest) -> ChatCompletionRequest {
        var expected = request
        expected.model = upstreamModel
        expected.maximumCompletionTokens = bound(request)
        expected.includesUsage = request.streams
        // The gateway's own business.
        expected.personalData = nil
        expected.blocksPromptInjection = false
        expected.outputChecks = []
        if !request.isStored { expected.metadata = [] }
        expected.hidesLengths = false
        expected.overflow = .truncate
        if !expected.tools.functions.isEmpty {
            expected.tools.allowsParallel = request.tools.isParallel
            expected.tools.isLegacy = false
        }
        return expected
    }

    private static let known: Set<String> = [
        "audio", "cache_prompt", "chat_template_kwargs", "enable_thinking", "frequency_penalty",
        "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "messages", "metadata",
        "min_p",
        "modalities", "model", "moderation", "n", "parallel_tool_calls", "prediction",
        "presence_penalty", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort", "reasoning_format", "repeat_penalty", "repetition_penalty",
        "response_format", "safety_identifier", "seed", "separate_reasoning", "service_tier",
        "stop", "store", "stream", "stream_options", "temperature", "timings_per_token",
        "tool_choice", "tools", "top_k", "top_logprobs", "top_p", "user",
        "verbosity", "web_search_options",
    ]
}
