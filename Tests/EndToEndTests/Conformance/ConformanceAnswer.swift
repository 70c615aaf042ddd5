import Testing

/// An answer as a client of any of the systems makes it out: the object of a plain answer, or what
/// the chunks of a stream add up to.
struct ConformanceAnswer: Sendable {
    /// The plain answer's object, or its like made of the chunks: pieces joined, `usage` that of
    /// the last chunk.
    let whole: JSONNode
    /// The chunks of a stream; none of a plain answer.
    let chunks: [JSONNode]

    /// Reads an answer that must be 200 and well formed.
    init(_ reply: HTTPReply, streams: Bool) throws {
        try #require(reply.status == 200, "\(reply.text)")
        #expect(!reply.text.contains(ScriptedCompletion.secret), "\(reply.text)")
        #expect(!reply.text.contains("timings"), "\(reply.text)")
        guard streams else {
            #expect(reply.header("content-type") == "application/json")
            chunks = []
            whole = try JSONNode(reply.text)
            return
        }
        #expect(reply.header("content-type")?.hasPrefix("text/event-stream") == true)
        let events = reply.events
        #expect(events.last == "[DONE]")
        chunks = try events.dropLast().map { try JSONNode($0) }
        whole = try Self.fold(chunks)
    }

    private static func fold(_ chunks: [JSONNode]) throws -> JSONNode {
        let first = try #require(chunks.first)
        // Of one answer there is one of each.
        for name in ["id", "object", "created", "model", "system_fingerprint"] {
            #expect(chunks.allSatisfy { $0[name] == first[name] }, "\(name) differs")
        }
        var choices: [Int: FoldedChoice] = [:]
        for choice in chunks.flatMap({ $0["choices"]?.elements ?? [] }) {
            let index = Int(try #require(choice["index"]?.number))
            choices[index, default: FoldedChoice()].take(choice)
        }
        // Exactly one chunk of each choice says why it ended.
        #expect(choices.values.allSatisfy { $0.finishes.count == 1 })
        var whole = first.members
        whole["choices"] = .array(
            choices.sorted { $0.key < $1.key }.map { $0.value.node(index: $0.key) })
        whole["usage"] = chunks.last?["usage"]
        whole["moderation"] = chunks.lazy.compactMap { $0["moderation"] }.first
        return .object(whole)
    }
}

/// One choice of a stream, joined from its pieces.
private struct FoldedChoice {
    var finishes: [String] = []
    private var message: [String: JSONNode] = [:]
    private var calls: [Int: (id: JSONNode?, type: JSONNode?, function: [String: JSONNode])] = [:]
    private var logprobs: [JSONNode] = []

    mutating func take(_ choice: JSONNode) {
        for (name, value) in choice["delta"]?.members ?? [:] {
            switch name {
            case "tool_calls": value.elements.forEach { takeCall($0) }
            case "function_call":
                var function = message[name]?.members ?? [:]
                Self.join(value.members, into: &function)
                message[name] = .object(function)
            // Of each piece, not in pieces.
            case "channel": message[name] = value
            default: Self.join([name: value], into: &message)
            }
        }
        logprobs += choice["logprobs.content"]?.elements ?? []
        if let finish = choice["finish_reason"]?.text { finishes.append(finish) }
    }

    private mutating func takeCall(_ piece: JSONNode) {
        let index = Int(piece["index"]?.number ?? -1)
        var call = calls[index] ?? (piece["id"], piece["type"], [:])
        Self.join(piece["function"]?.members ?? [:], into: &call.function)
        calls[index] = call
    }

    /// Texts are pieces of one, and so are lists; `null` and the first piece of one are the same to clients.
    private static func join(_ pieces: [String: JSONNode], into texts: inout [String: JSONNode]) {
        for (name, piece) in pieces {
            if !piece.elements.isEmpty {
                texts[name] = .array((texts[name]?.elements ?? []) + piece.elements)
                continue
            }
            guard let text = piece.text else { continue }
            texts[name] = .string((texts[name]?.text ?? "") + text)
        }
    }

    func node(index: Int) -> JSONNode {
        var message = message
        if !calls.isEmpty {
            message["tool_calls"] = .array(
                calls.sorted { $0.key < $1.key }.map { _, call in
                    .object([
                        "id": call.id ?? .null, "type": call.type ?? .null,
                        "function": .object(call.function),
                    ])
                })
        }
        return .object([
            "index": .number(Double(index)), "message": .object(message),
            "logprobs": logprobs.isEmpty ? .null : .object(["content": .array(logprobs)]),
            "finish_reason": finishes.first.map { .string($0) } ?? .null,
        ])
    }
}
