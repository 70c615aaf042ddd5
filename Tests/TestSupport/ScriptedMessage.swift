import Foundation

/// An answer of Anthropic's Messages API, in the shapes of the official `anthropic` package, which
/// reads it in an end-to-end test.
public struct ScriptedMessage: Sendable {
    /// A block of the answer, its text in the pieces in which a stream brings it.
    public enum Block: Sendable {
        /// Thoughts and the signature under them.
        case thinking([String], signature: String)
        /// Thoughts that nobody may read.
        case redactedThinking
        /// Visible text.
        case text([String])
        /// A call: its id, the function's name and the pieces of its input's JSON.
        case toolUse(String, String, [String])
    }

    /// What it counts.
    public struct Usage: Sendable {
        /// The prompt's tokens but for those of a cache.
        public var input = 12
        /// Written to a cache.
        public var cacheCreation = 0
        /// Read from a cache.
        public var cacheRead = 0
        /// Everything generated.
        public var output = 9
        /// What of that was thought, where it tells.
        public var thinking: Int?

        /// 12 tokens of prompt and 9 of answer.
        public init() {}
    }

    /// What it says.
    public var blocks: [Block]
    /// Why it ended.
    public var stopReason = "end_turn"
    /// What it counts.
    public var usage = Usage()
    /// Where the upstream repeats what no client may ever see.
    public static let secret = "leaks-from-the-upstream"

    /// An answer of these blocks.
    public init(_ blocks: [Block], stopReason: String = "end_turn") {
        self.blocks = blocks
        self.stopReason = stopReason
    }

    /// The steps that answer a request, streamed or not, as it was asked for.
    public func steps(for request: ScriptedUpstream.Request) -> [ScriptedUpstream.Step] {
        guard request.text.contains(#""stream":true"#) else {
            return ScriptedUpstream.Step.json(200, whole)
        }
        return [.streamHead] + events.map { .body(Array($0.utf8)) } + [.end]
    }

    // MARK: Whole

    /// The answer as one JSON text.
    public var whole: String {
        message(
            content: blocks.map(Self.wholeBlock).joined(separator: ","),
            stopReason: Self.quoted(stopReason), usage: usageMembers(output: usage.output))
    }

    private func message(content: String, stopReason: String, usage: String) -> String {
        #"{"id":"msg_\#(Self.secret)","type":"message","role":"assistant","model":"#
            + #""claude-\#(Self.secret)","content":[\#(content)],"stop_reason":\#(stopReason),"#
            + #""stop_sequence":null,"stop_details":null,"container":null,"usage":\#(usage)}"#
    }

    private static func wholeBlock(_ block: Block) -> String {
        switch block {
        case .thinking(let pieces, let signature):
            #"{"type":"thinking","thinking":\#(quoted(pieces.joined())),"#
                + #""signature":\#(quoted(signature))}"#
        case .redactedThinking: #"{"type":"redacted_thinking","data":"EmwKAhgBEgy3va3pzix"}"#
        case .text(let pieces):
            #"{"type":"text","text":\#(quoted(pieces.joined())),"citations":null}"#
        case .toolUse(let id, let name, let pieces):
            #"{"type":"tool_use","id":\#(quoted(id)),"name":\#(quoted(name)),"input":"#
                + (pieces.joined().isEmpty ? "{}" : pieces.joined()) + "}"
        }
    }

    private func usageMembers(output: Int) -> String {
        var members =
            #""input_tokens":\#(usage.input),"output_tokens":\#(output),"#
            + #""cache_creation_input_tokens":\#(usage.cacheCreation),"#
            + #""cache_read_input_tokens":\#(usage.cacheRead)"#
        if let thinking = usage.thinking {
            members += #","output_tokens_details":{"thinking_tokens":\#(thinking)}"#
        }
        return "{\(members)}"
    }

    // MARK: Streamed

    /// The events of the answer, as they stand in a stream, pings among them.
    public var events: [String] {
        var events = [
            Self.event(
                "message_start",
                #""message":"#
                    + message(
                        content: "", stopReason: "null", usage: usageMembers(output: 1))),
            Self.event("ping", nil),
        ]
        for (index, block) in blocks.enumerated() { events += Self.events(of: block, index) }
        events.append(
            Self.event(
                "message_delta",
                #""delta":{"stop_reason":\#(Self.quoted(stopReason)),"stop_sequence":null,"#
                    + #""stop_details":null},"usage":\#(usageMembers(output: usage.output))"#))
        return events + [Self.event("message_stop", nil)]
    }

    /// One event of a stream; `members` stand behind its type.
    public static func event(_ type: String, _ members: String?) -> String {
        let rest = members.map { ",\($0)" } ?? ""
        return "event: \(type)\ndata: {\"type\":\"\(type)\"\(rest)}\n\n"
    }

    private static func events(of block: Block, _ index: Int) -> [String] {
        func start(_ block: String) -> String {
            event("content_block_start", #""index":\#(index),"content_block":\#(block)"#)
        }
        func delta(_ type: String, _ name: String, _ text: String) -> String {
            event(
                "content_block_delta",
                #""index":\#(index),"delta":{"type":"\#(type)","\#(name)":\#(quoted(text))}"#)
        }
        var events: [String]
        switch block {
        case .thinking(let pieces, let signature):
            events = [start(#"{"type":"thinking","thinking":"","signature":""}"#)]
            events += pieces.map { delta("thinking_delta", "thinking", $0) }
            events.append(delta("signature_delta", "signature", signature))
        case .redactedThinking: events = [start(wholeBlock(block))]
        case .text(let pieces):
            events = [start(#"{"type":"text","text":"","citations":null}"#)]
            events += pieces.map { delta("text_delta", "text", $0) }
        case .toolUse(let id, let name, let pieces):
            events = [start(wholeBlock(.toolUse(id, name, [])))]
            events += ([""] + pieces).map { delta("input_json_delta", "partial_json", $0) }
        }
        return events + [event("content_block_stop", #""index":\#(index)"#)]
    }

    /// A text as JSON.
    private static func quoted(_ text: String) -> String {
        // A string is always JSON.
        (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}

extension ScriptedUpstream {
    /// The body of an error in Anthropic's format.
    public static func messagesError(_ type: String, _ message: String = "m") -> String {
        #"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"},"#
            + #""request_id":"req_011CSHoEeqs5C35K2UUqR7Fy"}"#
    }
}
