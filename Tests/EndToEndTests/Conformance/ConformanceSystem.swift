import TestSupport
import Testing

/// One of the six systems: what its page names and promises, and the one request that says it all.
struct ConformanceSystem: Sendable, CustomTestStringConvertible {
    /// What people call it.
    let name: String
    /// A word that stands in its request, by which the scripted upstream knows it.
    let word: String
    /// Where its clients send requests.
    let path: String
    /// The model that answers: behind an upstream that speaks OpenAI's API, or one that
    /// understands more.
    let model: Model
    /// The members of its one request, but for `model`, `stream` and `stream_options`.
    let request: String
    /// What the upstream answers.
    let completion: ScriptedCompletion
    /// Every parameter of its page.
    let parameters: [PageParameter]
    /// Every field that it promises.
    let fields: [PageField]
    /// The members of the request that the local engine cannot honour together with the rest.
    var engineLeavesOut: Set<String> = []

    /// What its clients ask of streams.
    var streamOptions = #""include_usage":true"#

    /// What `admin key create` is told for a key of its clients.
    var keyOptions: [String] = []

    /// Fields that its page names and no answer here holds, by the contract's rules or because what
    /// they tell of is not supported: paths into the first choice.
    var leftOut: [String] = []

    /// The models of the tests' gateway.
    enum Model: String, Sendable { case openAI = "sights", union }

    var testDescription: String { name }

    /// All six, as the README lists them.
    static let all = [openAI, predictionGuard, anthropicCounters, wisdomGate, sambaNova, myRouter]

    /// What was asked, what the backend was told, and what came back.
    struct Exchange {
        let asked: JSONNode
        let told: JSONNode
        let answer: ConformanceAnswer
    }

    /// The whole body of its one request.
    func body(streams: Bool) -> String {
        let streaming =
            streams ? #","stream":true,"stream_options":{\#(streamOptions)}"# : ""
        return #"{"model":"\#(model.rawValue)",\#(request)\#(streaming)}"#
    }

    /// A small body with other members in the place of its request's.
    func body(with members: String) throws -> String {
        let asksItself = try JSONNode("{\(members)}")["messages"] != nil
        let messages = #""messages":[{"role":"user","content":"Hello"}],"#
        return #"{"model":"\#(model.rawValue)",\#(asksItself ? "" : messages)\#(members)}"#
    }

    /// Sends a request to where the system has it.
    func post(
        _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey, _ body: String
    ) throws -> HTTPReply {
        let connection = try HTTPConnection(port: gateway.port)
        connection.send("POST", path, key: key.secret, body: body)
        return try connection.reply()
    }

    /// Sends its one request to the scripted upstream.
    func ask(
        _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey, streams: Bool
    ) throws -> Exchange {
        gateway.scripts.write(word) { completion.steps(for: $0) }
        Self.writeJudge(to: gateway.scripts)
        let body = body(streams: streams)
        let before = gateway.upstream.requests.count
        let reply = try post(gateway, key, body)
        let answer = try ConformanceAnswer(reply, streams: streams)
        let received = gateway.upstream.requests.dropFirst(before).filter {
            !$0.text.contains("FAIL or PASS?")
        }
        try #require(received.count == 1)
        return Exchange(
            asked: try JSONNode(body), told: try JSONNode(received.first?.text ?? ""),
            answer: answer)
    }

    /// The part of its request that the local engine can honour, asked of that.
    func askEngine(
        _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey, streams: Bool
    ) throws -> ConformanceAnswer {
        var members = try JSONNode(body(streams: streams)).members
        for name in engineLeavesOut { members[name] = nil }
        members["model"] = .string("demo")
        members["messages"] = .string("What is the capital of France?")
        members["temperature"] = .number(0)
        let body = JSONNode.object(members).json
        return try ConformanceAnswer(try post(gateway, key, body), streams: streams)
    }
}
