import TestSupport

/// What the scripted upstream answers in Anthropic's format, by a word in the question.
enum MessagesScripts {
    /// Thoughts, hidden thoughts, a text and two calls, with every counter.
    static let everything: ScriptedMessage = {
        var message = ScriptedMessage(
            [
                .thinking(["Let me", " see: ä😀"], signature: "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"),
                .redactedThinking, .text(["I look \"it\"", " up."]),
                .toolUse("toolu_01A", "get_weather", [#"{"city":"#, #" "Paris"}"#]),
                .toolUse("toolu_01B", "now", []),
            ], stopReason: "tool_use")
        message.usage.cacheCreation = 8
        message.usage.cacheRead = 16
        message.usage.output = 40
        message.usage.thinking = 11
        return message
    }()

    /// A short text, for 12 and 9 tokens.
    static let plain = ScriptedMessage([.text(["Good", " day."])])

    /// Writes an answer for each word.
    static func write(to scripts: ScriptBook) {
        let json = ScriptedMessage([.text([#"{"city":"#, #""Tokyo"}"#])])
        let answers: [String: ScriptedMessage] = [
            "messages-plain": plain, "messages-everything": everything, "messages-json": json,
            "messages-refusal": ScriptedMessage([], stopReason: "refusal"),
            "messages-long": ScriptedMessage([.text(["Once"])], stopReason: "max_tokens"),
            "messages-paused": ScriptedMessage([.text(["Wait"])], stopReason: "pause_turn"),
        ]
        for (word, answer) in answers {
            scripts.write(word) { answer.steps(for: $0) }
        }
        let errors: [(String, Int, String, [(String, String)])] = [
            ("messages-overloaded", 529, "overloaded_error", [("retry-after", "9")]),
            ("messages-limited", 429, "rate_limit_error", [("retry-after", "7")]),
            ("messages-broken", 500, "api_error", []),
        ]
        for (word, status, type, headers) in errors {
            scripts.write(word) { _ in
                ScriptedUpstream.Step.json(
                    status, ScriptedUpstream.messagesError(type), headers: headers)
            }
        }
    }
}
