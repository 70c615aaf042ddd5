import Foundation
import TestSupport
import Testing

extension EndToEnd.Conformance {
    private static let sound =
        #"{"id":"audio_1","data":"AAAA","transcript":"Good day.","expires_at":1729234747}"#
    private static let usage =
        #""usage":{"prompt_tokens":5,"completion_tokens":20,"total_tokens":25,"#
        + #""completion_tokens_details":{"audio_tokens":15,"text_tokens":5}}"#

    /// What OpenAI answers to a request for sound.
    private static func steps(
        _ request: ScriptedUpstream.Request
    ) -> [ScriptedUpstream.Step] {
        guard request.text.contains(#""stream":true"#) else {
            return ScriptedUpstream.Step.json(
                200,
                #"{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"#
                    + #""message":{"role":"assistant","content":null,"audio":\#(sound)},"#
                    + #""finish_reason":"stop"}],\#(usage)}"#)
        }
        let pieces = [
            #"{"role":"assistant","audio":{"id":"audio_1","transcript":"Good"}}"#,
            #"{"audio":{"data":"AAAA"}}"#, #"{"audio":{"transcript":" day."}}"#,
        ]
        return [.streamHead]
            + pieces.map { .event(#"{"choices":[{"index":0,"delta":\#($0)}]}"#) }
            + [
                .event(#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#),
                .event(
                    #"{"choices":[{"index":0,"delta":{"audio":{"expires_at":1729234747}}}]}"#),
                .event(#"{"choices":[],\#(usage)}"#), .event("[DONE]"), .end,
            ]
    }

    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func `OpenAI's spoken answer comes with all of its fields, and its tokens are told and charged`(
        streams: Bool
    ) async throws {
        let gateway = try ServedGateway.current()
        try await onOwnThread {
            gateway.scripts.write("conformance-speech") { Self.steps($0) }
            let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
            let reply = try gateway.post(
                key,
                #"""
                {"model":"sights","messages":"conformance-speech","modalities":["text","audio"],
                "audio":{"voice":"alloy","format":"pcm16"},"stream":\#(streams)
                \#(streams ? #","stream_options":{"include_usage":true}"# : "")}
                """#)
            let sounds = reply.text.components(separatedBy: #""audio":{"#).dropFirst()
                .map { "{" + $0.prefix { $0 != "}" } + "}" }
            let wanted =
                streams
                ? [
                    #"{"id":"audio_1","transcript":"Good"}"#, #"{"data":"AAAA"}"#,
                    #"{"transcript":" day."}"#, #"{"expires_at":1729234747}"#,
                ] : [Self.sound]
            #expect(Array(sounds) == wanted, "\(reply.text)")
            #expect(reply.text.contains(#""reasoning_tokens":0,"audio_tokens":15"#))
            #expect(!streams || reply.events.last == "[DONE]")
            let usage = try gateway.settled(key)
            #expect(usage["completion_tokens"] == "20" && usage["charged"] == "25")
        }
    }
}
