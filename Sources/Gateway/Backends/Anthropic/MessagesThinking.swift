/// How a call is told to think. Pure.
enum MessagesThinking: Equatable {
    /// Nothing is said: it is as the model has it.
    case unsaid
    case disabled
    /// For at most so many tokens.
    case budget(Int64)
    /// As much as the model finds right, with this effort, or its own.
    case adaptive(effort: String?)
    /// It cannot be told so: the parameter that asks for it.
    case refused(String)

    /// The least budget that the API takes.
    static let leastBudget: Int64 = 1024

    /// What `request` asks for, within a bound on all completion tokens, thoughts included.
    init(
        _ request: ChatCompletionRequest, bound: Int64,
        at models: AnthropicUpstreamConfiguration.Thinking
    ) {
        let reasoning = request.reasoning
        let effort = reasoning.effort.flatMap { $0 == .none ? nil : $0 }
        if reasoning.isEnabled == false {
            switch models {
            case .unavailable: self = .unsaid
            case .always:
                let isEffort = reasoning.effort == .some(.none)
                self = .refused(isEffort ? "reasoning_effort" : "enable_thinking")
            case .budgeted, .adaptive: self = .disabled
            }
            return
        }
        guard effort != nil || reasoning.isEnabled == true else {
            self = .unsaid
            return
        }
        let name = effort == nil ? "enable_thinking" : "reasoning_effort"
        switch models {
        case .unavailable: self = .refused(name)
        case .adaptive, .always: self = .adaptive(effort: effort.map(Self.word))
        case .budgeted(let budgets):
            // A turn with calls goes on where its thoughts stand in front of them, which the API
            // takes only with a signature that OpenAI's messages have no place for. Without, such a
            // turn may go on only where it does not think.
            if MessagesConversation(request.messages).continuesTools {
                self = .disabled
                return
            }
            guard bound > Self.leastBudget else {
                self = .refused(name)
                return
            }
            // Some of the bound is for the answer itself.
            let most = max(Self.leastBudget, bound / 5 * 4)
            self = .budget(min(most, max(Self.leastBudget, budgets[effort ?? .medium])))
        }
    }

    /// Whether the model may think because of this.
    var isOn: Bool {
        switch self {
        case .budget, .adaptive: true
        case .unsaid, .disabled, .refused: false
        }
    }

    /// The API's word for an effort. Its least is `low`.
    private static func word(_ effort: ReasoningOptions.Effort) -> String {
        effort == .minimal ? ReasoningOptions.Effort.low.rawValue : effort.rawValue
    }
}

extension AnthropicUpstreamConfiguration.ThinkingBudgets {
    /// The budget of an effort.
    fileprivate subscript(effort: ReasoningOptions.Effort) -> Int64 {
        switch effort {
        case .none: 0
        case .minimal: minimal
        case .low: low
        case .medium: medium
        case .high: high
        case .xhigh: xhigh
        case .max: self.max
        }
    }
}
