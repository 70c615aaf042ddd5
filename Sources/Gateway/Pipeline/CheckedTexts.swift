/// The texts of a request that checks look at.
extension ChatCompletionRequest {
    /// Everything that was said to the model, in order: each message's texts, then its reasoning, then
    /// the arguments of its calls; at last what is foretold of its answer.
    var promptTexts: [String] {
        messages.flatMap { message in
            message.content.texts + [message.reasoning].compactMap(\.self)
                + message.toolCalls.map(\.arguments)
        } + (prediction?.texts ?? [])
    }

    /// What may hold personal data, in the same order, with the names of whoever speaks behind what
    /// they say, and arguments taken apart. Other texts put in their places are what backends see.
    var checkedTexts: [String] {
        get { messages.flatMap(\.checkedTexts) + (prediction?.texts ?? []) }
        set {
            var rest = newValue[...]
            for index in messages.indices { messages[index].takeTexts(from: &rest) }
            prediction?.takeTexts(from: &rest)
        }
    }
}

extension ChatMessage.Content {
    fileprivate mutating func takeTexts(from texts: inout ArraySlice<String>) {
        switch self {
        case .none: break
        case .text: self = .text(texts.removeFirst())
        case .parts(let parts):
            self = .parts(
                parts.map { part in
                    part.text == nil ? part : .text(texts.removeFirst())
                })
        }
    }
}

extension ChatMessage {
    /// Who speaks, where that is a person: the name of a function is one of those given.
    private var speaker: String? {
        switch role {
        case .system, .developer, .user, .assistant: name
        case .tool, .function: nil
        }
    }

    fileprivate var checkedTexts: [String] {
        content.texts + [speaker, reasoning].compactMap(\.self)
            + toolCalls.flatMap { $0.objectTexts?.texts ?? [$0.arguments] }
    }

    fileprivate mutating func takeTexts(from texts: inout ArraySlice<String>) {
        content.takeTexts(from: &texts)
        if speaker != nil { name = texts.removeFirst() }
        if reasoning != nil { reasoning = texts.removeFirst() }
        for index in toolCalls.indices {
            if let object = toolCalls[index].objectTexts {
                let text = object.rewritten(from: &texts)
                // Written anew only where something was replaced.
                guard ObjectTexts(text)?.texts != object.texts else { continue }
                toolCalls[index].arguments = text
            } else {
                toolCalls[index].arguments = texts.removeFirst()
            }
        }
    }
}

extension ToolCall {
    /// Its arguments taken apart; nil where they are no object.
    fileprivate var objectTexts: ObjectTexts? { isCustom ? nil : ObjectTexts(arguments) }
}
