/// One message of the conversation.
struct ChatMessage: Sendable, Equatable {
    /// Who speaks.
    enum Role: String, Sendable, CaseIterable {
        case system, developer, user, assistant, tool, function
    }

    var role: Role
    /// What is said; parts are kept apart, as the client sent them.
    var content: Content
    /// The speaker's name, if given.
    var name: String?
    /// The calls that an assistant made.
    var toolCalls: [ToolCall] = []
    /// Which call a tool answers.
    var toolCallID: String?
    /// The upstream's id of what an assistant said in sound (`audio`).
    var spokenID: String?
    /// The reasoning that an assistant gave, for templates that keep it.
    var reasoning: String?
    /// Whom an assistant spoke to, for models that tell.
    var channel: MessageChannel?

    /// What is said.
    enum Content: Sendable, Equatable {
        case text(String)
        case parts([ContentPart])
        /// Nothing: of an assistant that only calls tools.
        case none

        /// The texts, in order.
        var texts: [String] {
            switch self {
            case .text(let text): [text]
            case .parts(let parts): parts.compactMap(\.text)
            case .none: []
            }
        }

        /// The parts, in order; none where the content is one text.
        var parts: [ContentPart] {
            guard case .parts(let parts) = self else { return [] }
            return parts
        }
    }
}
