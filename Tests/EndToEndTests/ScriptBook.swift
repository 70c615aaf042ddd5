import Synchronization
import TestSupport

/// What the scripted upstream does, by a word in the prompt, so that tests share one upstream and
/// one gateway.
final class ScriptBook: Sendable {
    /// What is done with one request.
    typealias Script = @Sendable (ScriptedUpstream.Request) -> [ScriptedUpstream.Step]

    private let scripts = Mutex<[(word: String, script: Script)]>([])

    /// Requests whose body contains `word` are answered by `script` from now on.
    func write(_ word: String, _ script: @escaping Script) {
        scripts.withLock { $0.append((word, script)) }
    }

    /// The steps for a request; a short answer when no test has written anything.
    func steps(for request: ScriptedUpstream.Request) -> [ScriptedUpstream.Step] {
        let text = request.text
        let script = scripts.withLock { $0.last { text.contains($0.word) }?.script }
        return script?(request) ?? Self.short(request)
    }

    /// `Good day.` for 7 and 3 tokens, streamed or not, as it was asked for.
    static func short(_ request: ScriptedUpstream.Request) -> [ScriptedUpstream.Step] {
        if request.text.contains(#""stream":true"#) {
            return [.streamHead, .say("Good"), .say(" day.")] + .finish(prompt: 7, completion: 3)
        }
        return answer("Good day.", prompt: 7, completion: 3)
    }

    /// A whole answer that is not streamed.
    static func answer(
        _ content: String, prompt: Int64, completion: Int64
    ) -> [ScriptedUpstream.Step] {
        ScriptedUpstream.Step.json(
            200,
            #"{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"#
                + #""message":{"role":"assistant","content":"\#(content)"},"finish_reason":"stop"}],"#
                + #""usage":{"prompt_tokens":\#(prompt),"completion_tokens":\#(completion),"#
                + #""total_tokens":\#(prompt + completion)}}"#)
    }
}

extension [ScriptedUpstream.Step] {
    /// The last events of a stream.
    static func finish(prompt: Int, completion: Int) -> [ScriptedUpstream.Step] {
        ScriptedUpstream.Step.finish(prompt: prompt, completion: completion)
    }
}
