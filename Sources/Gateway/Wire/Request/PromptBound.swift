import Domain

/// The ceiling of a prompt's tokens, from its bytes alone.
///
/// Byte-level tokenizers make at most one token of one byte of the rendered prompt (`ledger.md`
/// §3.3). The rendered prompt is every text, role and name, every function, schema and template
/// argument, and what the chat template puts around them, which the model's ``PromptOverhead``
/// covers. A backend that can count a prompt does so instead.
enum PromptBound {
    /// The bytes of everything that a client puts into the prompt.
    static func bytes(_ request: ChatCompletionRequest) -> Int64 {
        var bytes = 0
        for message in request.messages {
            bytes += message.role.rawValue.utf8.count + (message.name?.utf8.count ?? 0)
            for text in message.content.texts { bytes += text.utf8.count }
            bytes += message.reasoning?.utf8.count ?? 0
            bytes += message.channel?.rawValue.utf8.count ?? 0
            bytes += message.toolCallID?.utf8.count ?? 0
            for call in message.toolCalls {
                bytes += call.id.utf8.count + call.name.utf8.count + call.arguments.utf8.count
            }
        }
        for tool in request.tools.functions {
            bytes += tool.name.utf8.count + (tool.description?.utf8.count ?? 0)
            bytes += tool.parameters?.bytes.count ?? 0
            if case .grammar(let definition, _)? = tool.input { bytes += definition.utf8.count }
        }
        if case .jsonSchema(let format) = request.format {
            bytes += format.name.utf8.count + (format.description?.utf8.count ?? 0)
            bytes += format.schema.bytes.count
        }
        for argument in request.reasoning.templateArguments {
            bytes += argument.name.utf8.count + argument.value.bytes.count
        }
        return Int64(bytes)
    }

    /// The most tokens that the prompt of `request` can be, where one image is at most
    /// `imageTokens` and the backend adds what is usual.
    static func tokens(_ request: ChatCompletionRequest, imageTokens: Int64) -> Int64 {
        tokens(request, imageTokens: imageTokens, .usual)
    }

    private static func tokens(
        _ request: ChatCompletionRequest, imageTokens: Int64, _ overhead: PromptOverhead
    ) -> Int64 {
        var tokens = Int64(request.imageCount) * (imageTokens + overhead.message)
        tokens += bytes(request) + Int64(request.messages.count) * overhead.message
        tokens += overhead.request
        for call in request.messages.lazy.flatMap(\.toolCalls) {
            tokens += RenderedJSON.growth(of: call.arguments.utf8) + overhead.message
        }
        if request.format != .text { tokens += overhead.format }
        if case .jsonSchema(let format) = request.format {
            tokens += RenderedJSON.growth(of: (format.description ?? "").utf8)
            tokens += RenderedJSON.growth(of: format.schema.bytes)
        }
        for argument in request.reasoning.templateArguments {
            tokens += RenderedJSON.growth(of: argument.value.bytes) + overhead.message
        }
        return tokens + self.tokens(of: request.tools.functions, overhead)
    }

    private static func tokens(of tools: [FunctionTool], _ overhead: PromptOverhead) -> Int64 {
        guard !tools.isEmpty else { return 0 }
        var tokens = overhead.tools
        for tool in tools {
            tokens += overhead.tool
            tokens += RenderedJSON.growth(of: (tool.description ?? "").utf8)
            if let parameters = tool.parameters {
                tokens += RenderedJSON.growth(of: parameters.bytes)
            }
            if case .grammar(let definition, _)? = tool.input {
                tokens += RenderedJSON.growth(of: definition.utf8)
            }
        }
        return tokens
    }

    /// The most tokens that a part can be to a model beside its text; nil for one that it does not
    /// take.
    static func tokens(of part: ContentPart, at route: ModelRoute) -> Int64? {
        switch part {
        case .text: 0
        case .image: route.imageTokens
        case .audio(let audio): route.media.audio(mostMilliseconds: audio.mostMilliseconds)
        case .video: route.media.video
        case .file(let file):
            if case .id = file.source, !route.media.takesFileIDs { nil } else { route.media.file }
        }
    }

    /// The most tokens that the prompt of `request` can be to the model of `route`, which takes
    /// every part of it.
    static func tokens(_ request: ChatCompletionRequest, at route: ModelRoute) -> Int64 {
        let media = request.messages.lazy.flatMap(\.content.parts).reduce(Int64(0)) { sum, part in
            switch part {
            case .text, .image: sum
            case .audio, .video, .file:
                sum + (tokens(of: part, at: route) ?? 0) + route.overhead.message
            }
        }
        let spoken = Int64(request.messages.count { $0.spokenID != nil })
        let sound = spoken * ((route.speech?.historyTokens ?? 0) + route.overhead.message)
        let found = request.webSearch == nil ? 0 : route.search?.promptTokens ?? 0
        let rest = tokens(request, imageTokens: route.imageTokens ?? 0, route.overhead)
        return min(TokenBound.most, rest + media + sound + found)
    }

    /// The most tokens that each choice can have beside those it says: those of a prediction that
    /// did not come true count as generated, and are no more than its bytes.
    static func rejected(_ request: ChatCompletionRequest) -> Int64 {
        Int64((request.prediction?.texts ?? []).reduce(0) { $0 + $1.utf8.count })
    }

    /// The most tokens the completion may have: the smallest of what the client asks for (or
    /// `fallback`, when it names nothing), what the model may say, and the model's whole context.
    /// At least one.
    static func completion(
        asked: Int64?, fallback: Int64, maximum: Int64, contextTokens: Int64
    ) -> Int64 {
        max(1, min(asked ?? fallback, maximum, contextTokens))
    }
}
