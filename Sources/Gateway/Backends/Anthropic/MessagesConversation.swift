/// A conversation as Anthropic's API has it: instructions apart, then turns of a user and an
/// assistant, who alternate. Pure.
struct MessagesConversation: Equatable {
    /// What a turn is made of.
    enum Block: Equatable {
        case text(String)
        case image(ImagePart)
        case toolUse(ToolCall)
        /// What came of a call: its id and texts.
        case toolResult(String, [String])
    }

    /// What one side says before the other does.
    struct Turn: Equatable {
        var isAssistant: Bool
        var blocks: [Block]
    }

    /// The instructions, in order: of every system and developer message, wherever it stands, since
    /// the API has one place for them.
    private(set) var system: [String] = []
    /// Never two of the same side in a row: results of tools are said by the user.
    private(set) var turns: [Turn] = []

    /// Sorts messages into instructions and turns. Empty texts are left out, which the API refuses
    /// and which say nothing. The reasoning of earlier turns is left out as well: the API takes it
    /// only with a signature of its own, and forgets it anyway once a turn is over.
    init(_ messages: [ChatMessage]) {
        for message in messages {
            switch message.role {
            case .system, .developer:
                system += message.content.texts.filter { !$0.isEmpty }
            case .user, .function:
                append(Self.blocks(of: message.content), isAssistant: false)
            case .assistant:
                append(
                    Self.blocks(of: message.content) + message.toolCalls.map { .toolUse($0) },
                    isAssistant: true)
            case .tool:
                let texts = message.content.texts.filter { !$0.isEmpty }
                append([.toolResult(message.toolCallID ?? "", texts)], isAssistant: false)
            }
        }
    }

    /// Whether it ends with results of tools: the assistant's turn goes on.
    var continuesTools: Bool {
        guard let last = turns.last, !last.isAssistant else { return false }
        return last.blocks.contains { block in
            if case .toolResult = block { return true }
            return false
        }
    }

    private mutating func append(_ blocks: [Block], isAssistant: Bool) {
        guard !blocks.isEmpty else { return }
        if turns.last?.isAssistant == isAssistant {
            turns[turns.count - 1].blocks += blocks
        } else {
            turns.append(Turn(isAssistant: isAssistant, blocks: blocks))
        }
    }

    private static func blocks(of content: ChatMessage.Content) -> [Block] {
        switch content {
        case .text(let text): text.isEmpty ? [] : [.text(text)]
        case .parts(let parts): parts.compactMap(block)
        case .none: []
        }
    }

    private static func block(of part: ContentPart) -> Block? {
        switch part {
        case .text(let text): text.isEmpty ? nil : .text(text)
        case .image(let image): .image(image)
        // Refused before anything is written.
        case .audio, .video, .file: nil
        }
    }
}
