import Domain
import JSON

/// Reads an answer in Anthropic's format, whole or event by event, into events of ours.
///
/// A class because the parser's memory is reused from event to event; one per answer, not shared.
final class MessagesDecoder: AnswerDecoder {
    /// The most blocks that are open at the same time, of which there is one in an honest stream.
    private static let mostBlocks = 256

    private let parser: JSONParser
    private let secrets: [[UInt8]]
    /// The blocks that have begun and not ended, by the upstream's numbers.
    private var blocks: [Int64: Block] = [:]
    private var calls = 0
    private var usage = MessagesUsage()
    /// Whether the prompt's count was told.
    private var isPromptTold = false
    private var stopReason: FinishReason?

    /// What was heard of a block.
    private enum Block {
        /// A call, by its place among the calls, and whether it has said any of its arguments.
        case call(Int, hasArguments: Bool)
        /// Text, thoughts, and whatever the API may have in future.
        case other
    }

    /// Whether `message_stop` was read.
    private(set) var isEnded = false
    /// Whether an answer has begun.
    private(set) var hasChoices = false

    /// - Parameters:
    ///   - maximumBytes: of one event or of a whole answer.
    ///   - secrets: what must not stand in a log, should the upstream repeat it.
    init(maximumBytes: Int, secrets: [[UInt8]]) {
        parser = JSONParser(
            maximumBytes: maximumBytes, maximumDepth: 64, maximumNodes: 100_000,
            checkDuplicateKeys: false)
        self.secrets = secrets
    }

    var isFinished: Bool { stopReason != nil }

    func decodeChunk(_ data: ArraySlice<UInt8>) throws(BackendFailure) -> BackendEvent? {
        let root = try parse(data)
        guard let type = root["type"], type.kind == .string else {
            throw Self.malformed("an event has no type")
        }
        var event = BackendEvent()
        if type.isString("message_start") {
            hasChoices = true
            usage.take(root["message"]?["usage"], isFinal: false)
        } else if type.isString("content_block_start") {
            try startBlock(root, in: &event)
        } else if type.isString("content_block_delta") {
            try continueBlock(root, in: &event)
        } else if type.isString("content_block_stop") {
            stopBlock(root, in: &event)
        } else if type.isString("message_delta") {
            readEnd(root, in: &event)
        } else if type.isString("message_stop") {
            isEnded = true
        }
        // Everything else, a ping among it, says nothing: the API may have new events at any time.
        guard !event.deltas.isEmpty || event.usage != nil else { return nil }
        if !isPromptTold, let prompt = usage.prompt {
            // Not before something was said: until then a failure can still be a proper status.
            isPromptTold = true
            event.promptUsage = prompt
        }
        return event
    }

    func decodeAnswer(_ body: [UInt8]) throws(BackendFailure) -> BackendEvent {
        let root = try parse(body[...])
        guard let content = root["content"], content.kind == .array else {
            throw Self.malformed("the answer has no content")
        }
        hasChoices = true
        var choice = ChoiceDelta(index: 0)
        for block in content.elements { try append(block, to: &choice) }
        usage.take(root["usage"], isFinal: true)
        stopReason = Self.finishReason(root["stop_reason"]) ?? .stop
        choice.finishReason = stopReason
        return BackendEvent(deltas: [choice], usage: usage.total)
    }

    // MARK: Blocks of a stream

    private func startBlock(
        _ root: JSONValue, in event: inout BackendEvent
    ) throws(BackendFailure) {
        hasChoices = true
        let number = try Self.number(root)
        guard blocks.count < Self.mostBlocks, blocks[number] == nil else {
            throw Self.malformed("a block begins twice, or too many do")
        }
        var choice = ChoiceDelta(index: 0)
        let block = root["content_block"]
        try append(block, to: &choice)
        if var call = choice.toolCalls.first {
            // What comes here is an empty object in a stream; the pieces follow.
            if block?["input"]?.count == 0 { call.arguments = nil }
            choice.toolCalls = [call]
            blocks[number] = .call(call.index, hasArguments: call.arguments != nil)
        } else {
            blocks[number] = .other
        }
        if choice.saysSomething { event.deltas = [choice] }
    }

    private func continueBlock(
        _ root: JSONValue, in event: inout BackendEvent
    ) throws(BackendFailure) {
        hasChoices = true
        let number = try Self.number(root)
        guard let delta = root["delta"], let type = delta["type"] else {
            throw Self.malformed("a piece of a block has no type")
        }
        var choice = ChoiceDelta(index: 0)
        if type.isString("text_delta") {
            choice.content = try Self.text(delta["text"])
        } else if type.isString("thinking_delta") {
            choice.reasoning = try Self.text(delta["thinking"])
        } else if type.isString("input_json_delta") {
            guard case .call(let call, _)? = blocks[number] else {
                throw Self.malformed("arguments without a call")
            }
            guard let piece = try Self.text(delta["partial_json"]) else { return }
            blocks[number] = .call(call, hasArguments: true)
            choice.toolCalls = [ToolCallDelta(index: call, arguments: piece)]
        }
        if choice.saysSomething { event.deltas = [choice] }
    }

    private func stopBlock(_ root: JSONValue, in event: inout BackendEvent) {
        guard let number = root["index"]?.exactInteger,
            case .call(let call, hasArguments: false)? = blocks.removeValue(forKey: number)
        else { return }
        // A call without arguments says nothing of them; to OpenAI's clients they are an object.
        event.deltas = [
            ChoiceDelta(index: 0, toolCalls: [ToolCallDelta(index: call, arguments: "{}")])
        ]
    }

    private func readEnd(_ root: JSONValue, in event: inout BackendEvent) {
        usage.take(root["usage"], isFinal: true)
        event.usage = usage.total
        guard let reason = Self.finishReason(root["delta"]?["stop_reason"]) else { return }
        hasChoices = true
        stopReason = reason
        event.deltas = [ChoiceDelta(index: 0, finishReason: reason)]
    }

    // MARK: Parts

    /// Adds what a block says, whole or as it begins.
    private func append(
        _ block: JSONValue?, to choice: inout ChoiceDelta
    ) throws(BackendFailure) {
        guard let block, block.kind == .object, let type = block["type"] else {
            throw Self.malformed("a block has no type")
        }
        if type.isString("text") {
            if let text = try Self.text(block["text"]) {
                choice.content = (choice.content ?? "") + text
            }
        } else if type.isString("thinking") {
            if let text = try Self.text(block["thinking"]) {
                choice.reasoning = (choice.reasoning ?? "") + text
            }
        } else if type.isString("tool_use") {
            choice.toolCalls.append(try call(block))
        }
        // Thoughts that are not to be read, and what only the API's own tools say, are no text.
    }

    private func call(_ block: JSONValue) throws(BackendFailure) -> ToolCallDelta {
        guard calls < ToolCallReader.maximumCalls else {
            throw Self.malformed("too many tool calls")
        }
        guard let id = try Self.text(block["id"]), let name = try Self.text(block["name"]) else {
            throw Self.malformed("a call has no id or no name")
        }
        guard let input = block["input"], input.kind == .object else {
            throw Self.malformed("a call's input is no object")
        }
        defer { calls += 1 }
        return ToolCallDelta(
            index: calls, id: id, name: name,
            arguments: String(decoding: JSONFragment(input).bytes, as: UTF8.self))
    }

    private func parse(_ bytes: ArraySlice<UInt8>) throws(BackendFailure) -> JSONValue {
        let root = try parser.object(bytes)
        if let failure = UpstreamErrorBody(root) {
            throw BackendFailure(
                kind: failure.kind(status: 200, retryAfter: nil),
                detail: "error inside of the answer:" + failure.label(redacting: secrets))
        }
        return root
    }

    private static func number(_ root: JSONValue) throws(BackendFailure) -> Int64 {
        guard let number = root["index"]?.exactInteger, number >= 0 else {
            throw malformed("a block has no usable index")
        }
        return number
    }

    /// A text that says something; nil if it is absent, null or empty. Anything else would be lost
    /// to the count, so it is refused.
    private static func text(_ value: JSONValue?) throws(BackendFailure) -> String? {
        guard let value, !value.isNull else { return nil }
        guard value.kind == .string else { throw malformed("a text of the answer is no string") }
        return value.utf8Count == 0 ? nil : value.string
    }

    /// Why an answer ended, in the contract's words; nil while it has not. What is not known is the
    /// model's own end.
    static func finishReason(_ value: JSONValue?) -> FinishReason? {
        guard let value, value.kind == .string else { return nil }
        if value.isString("max_tokens") || value.isString("model_context_window_exceeded") {
            return .length
        }
        if value.isString("tool_use") { return .toolCalls }
        return value.isString("refusal") ? .contentFilter : .stop
    }

    private static func malformed(_ detail: String) -> BackendFailure {
        BackendFailure(kind: .malformed, detail: detail)
    }
}
