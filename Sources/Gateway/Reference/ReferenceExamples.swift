import Domain

/// What the reference shows. Answers are made by what writes the real ones.
enum ReferenceExamples {
    /// A body that may be sent.
    struct Request: Sendable {
        let name: String
        let body: StaticString
    }

    /// Bodies that may be sent, the plainest first.
    static let requests = [
        Request(
            name: "plain",
            body: """
                {"model":"demo","messages":[{"role":"system","content":"You are brief."},\
                {"role":"user","content":"What is the capital of France?"}],\
                "max_completion_tokens":64,"temperature":0}
                """),
        Request(
            name: "streamed",
            body: """
                {"model":"demo","messages":"What is the capital of France?","stream":true,\
                "stream_options":{"include_usage":true}}
                """),
        Request(
            name: "functions",
            body: """
                {"model":"demo","messages":[{"role":"user","content":"Is it raining in Oslo?"}],\
                "tools":[{"type":"function","function":{"name":"get_weather","parameters":\
                {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]}
                """),
        Request(
            name: "schema",
            body: """
                {"model":"demo","messages":[{"role":"user","content":"Name a city."}],\
                "response_format":{"type":"json_schema","json_schema":{"name":"city","schema":\
                {"type":"object","properties":{"name":{"type":"string"}}}}}}
                """),
    ]

    private static let identity = CompletionIdentity(
        RequestID(at: Timestamp(microseconds: 1_767_225_600_000_000), random: (1, 2)),
        createdAt: Timestamp(microseconds: 1_767_225_600_000_000), model: "demo", backend: "local")
    private static let usage = TokenUsage(prompt: 18, completion: 13)
    private static let timings = AnswerTimings(
        queue: .zero, firstToken: .milliseconds(40), total: .milliseconds(160))

    /// A whole answer.
    static let completion: ReferenceValue = {
        var choice = CompletedAnswer.Choice(index: 0)
        choice.content = "The capital of France is Paris."
        choice.finishReason = .stop
        return .json(
            ChatCompletionWriter.write(
                CompletedAnswer(choices: [choice], usage: usage, timings: timings), identity,
                in: AnswerStyle()))
    }()

    /// A stream, as it goes over the wire.
    static let stream: ReferenceValue = {
        var style = AnswerStyle()
        style.showsUsage = true
        var writer = ServerSentEventWriter(identity, in: style)
        writer.begin(choice: 0)
        writer.append(ChoiceDelta(index: 0, content: "Paris."))
        writer.append(ChoiceDelta(index: 0, finishReason: .stop))
        writer.finish(usage: usage, .none, timings)
        return .string(writer.takeText())
    }()

    private static let route = ModelRoute(
        alias: "demo", backends: ["local"], upstreamModel: "demo", contextTokens: 1024,
        maximumCompletionTokens: 512, imageTokens: nil, price: nil)

    /// The answer to a good request for `schema`; nil where there is none of that name.
    static func answer(_ schema: String?) -> ReferenceValue? {
        switch schema {
        case "ChatCompletion": completion
        case "Model": .json(ModelsEndpoint.one(route))
        case "ModelList": .json(ModelsEndpoint.list([route]))
        case "KeyUsage": .json(BooksReference.usageExample)
        case "KeyQuota": .json(BooksReference.quotaExample)
        default: nil
        }
    }

    /// An error, as it goes over the wire.
    static func error(_ answer: ErrorAnswer) -> ReferenceValue {
        .json(answer.body(requestID: "req_019b7e1a-6c00-7000-8000-000000000001"))
    }

    /// A program that uses an operation.
    struct Program: Sendable {
        let language: String
        let source: String
    }

    /// Programs for a route.
    static func programs(_ route: Route) -> [Program] {
        switch route {
        case .chatCompletions: [Program(language: "curl", source: curl), python]
        case .models, .model, .usage, .quota, .reference, .referencePage: [get(route)]
        }
    }

    private static let curl = """
        curl "$GATEWAY/v1/chat/completions" \\
          -H "Authorization: Bearer $API_KEY" \\
          -H 'Content-Type: application/json' \\
          -d '{"model": "demo",
               "messages": [{"role": "user", "content": "What is the capital of France?"}]}'
        """

    private static let python = Program(
        language: "python",
        source: """
            import os
            from openai import OpenAI

            client = OpenAI(base_url=os.environ["GATEWAY"] + "/v1", api_key=os.environ["API_KEY"])
            answer = client.chat.completions.create(
                model="demo",
                messages=[{"role": "user", "content": "What is the capital of France?"}],
            )
            print(answer.choices[0].message.content)

            for chunk in client.chat.completions.create(
                model="demo",
                messages=[{"role": "user", "content": "Count to five."}],
                stream=True,
            ):
                print(chunk.choices[0].delta.content or "", end="")
            """)

    private static func get(_ route: Route) -> Program {
        let path = route.paths[0] + (route == .model ? "demo" : "")
        let key = route.needsKey ? " -H \"Authorization: Bearer $API_KEY\"" : ""
        return Program(language: "curl", source: "curl \"$GATEWAY\(path)\"\(key)")
    }
}
