/// How much the model reasons before it answers, and where its reasoning goes.
struct ReasoningOptions: Sendable, Equatable {
    /// How hard to think.
    enum Effort: String, Sendable, CaseIterable {
        case none, minimal, low, medium, high, xhigh, max
    }

    /// `reasoning_effort`.
    var effort: Effort?
    /// Whether to think at all, where the client says so under any of the three names for it.
    var isEnabled: Bool?
    /// Whether reasoning goes to `reasoning_content`, rather than staying in the text with its
    /// tags.
    var isSeparate = true
    /// `chat_template_kwargs`, but for those that the other members hold.
    var templateArguments: [TemplateArgument] = []
}

/// A variable that a client sets for the chat template.
struct TemplateArgument: Sendable, Equatable {
    var name: String
    var value: JSONFragment
}
