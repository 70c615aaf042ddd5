import JSON
import TestSupport

/// Answers as the demo model does, as Anthropic's API would: a call that breaks its rules is
/// refused.
enum ScriptedMessagesModel {
    private static let tokens = [
        "The", " capital", " of", " F", "r", "an", "ce", " is", " P", "ar", "is", ".", "",
    ]

    @Sendable static func answer(_ request: ScriptedUpstream.Request) -> [ScriptedUpstream.Step] {
        guard request.path == "/v1/messages", request.method == "POST",
            request.header("anthropic-version") == "2023-06-01",
            let root = try? JSONParser(
                maximumBytes: 1 << 20, maximumDepth: 32, maximumNodes: 10_000
            ).parse(request.body).root,
            let bound = root["max_tokens"]?.integer, bound > 0,
            root["messages"]?[0]?["role"]?.isString("user") == true
        else {
            return ScriptedUpstream.Step.json(
                400, ScriptedUpstream.messagesError("invalid_request_error"))
        }
        if request.body.count > 8000 {
            return ScriptedUpstream.Step.json(
                400,
                ScriptedUpstream.messagesError(
                    "invalid_request_error", "prompt is too long: 2010 tokens > 1024 maximum"))
        }
        if request.text.contains("story") {
            let events = ScriptedMessage([.text([" word0", " word1", " word2"])]).events
            return [.streamHead] + events.prefix(6).map { .body(Array($0.utf8)) } + [.silence]
        }
        let said = tokens.prefix(Int(bound))
        var message = ScriptedMessage(
            [.text(Array(said))],
            stopReason: said.count == tokens.count ? "end_turn" : "max_tokens")
        message.usage.input = 10
        message.usage.cacheRead = 8
        message.usage.output = said.count
        return message.steps(for: request)
    }
}
