import JSON
import Testing

@testable import Gateway

@Suite struct ValidRequests {
    @Test func `every supported parameter is read`() throws {
        let request = try readRequest(
            #"""
            "max_tokens":16,"max_completion_tokens":16,"temperature":0.5,"top_p":0.25,"top_k":40,"min_p":0.1,
            "repetition_penalty":1.1,"frequency_penalty":-1,"presence_penalty":2,"seed":-9223372036854775808,
            "stop":["a","b"],"stream":true,"stream_options":{"include_usage":true},"n":1,"user":"u"
            """#)
        var expected = ChatCompletionRequest(
            model: "m", messages: [ChatMessage(role: .user, content: .text("hi"))])
        expected.maximumCompletionTokens = 16
        expected.temperature = 0.5
        expected.topP = 0.25
        expected.topK = 40
        expected.minP = 0.1
        expected.repetitionPenalty = 1.1
        expected.frequencyPenalty = -1
        expected.presencePenalty = 2
        expected.seed = .min
        expected.stop = ["a", "b"]
        expected.streams = true
        expected.includesUsage = true
        expected.user = "u"
        #expect(request == expected)
    }

    @Test func `messages keep their roles, names and parts`() throws {
        let request = try readRequest(
            body:
                #"""
                {"model":"m","messages":[
                  {"role":"system","content":"s"},{"role":"developer","content":"d"},
                  {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"name":"ann"},
                  {"role":"assistant","content":"x","tool_calls":null,"refusal":null,"annotations":[]},
                  {"role":"function","name":"f","content":""}]}
                """#)
        #expect(
            request.messages == [
                ChatMessage(role: .system, content: .text("s")),
                ChatMessage(role: .developer, content: .text("d")),
                ChatMessage(role: .user, content: .parts([.text("a"), .text("b")]), name: "ann"),
                ChatMessage(role: .assistant, content: .text("x")),
                ChatMessage(role: .function, content: .text(""), name: "f"),
            ])
    }

    @Test(arguments: [
        #""n":1"#, #""logprobs":false"#, #""tools":[]"#, #""response_format":{"type":"text"}"#,
        #""store":false"#, #""parallel_tool_calls":true"#,
        #""modalities":["text"]"#, #""tool_choice":"none""#, #""logit_bias":{}"#, #""metadata":{}"#,
        #""tools":null,"stop":null,"temperature":null,"stream_options":null,"max_tokens":null"#,
        #""input":{"block_prompt_injection":false,"pii":null}"#, #""output":{"toxicity":false}"#,
        #""whatever":{"nobody":"knows"}"#, #""separate_reasoning":true"#,
        #""stream":true,"stream_options":{"include_obfuscation":false}"#,
    ])
    func `a parameter at its neutral value changes nothing`(_ members: String) throws {
        var expected = ChatCompletionRequest(
            model: "m", messages: [ChatMessage(role: .user, content: .text("hi"))])
        expected.streams = members.contains(#""stream":true"#)
        #expect(try readRequest(members) == expected)
    }

    @Test(arguments: [
        (#""temperature":0,"top_p":0,"min_p":0"#), (#""temperature":2,"top_p":1,"min_p":1"#),
        (#""top_k":1"#), (#""top_k":128"#), (#""top_k":5.0"#), (#""repetition_penalty":2"#),
        (#""frequency_penalty":-2,"presence_penalty":-2"#), (#""max_tokens":2147483647"#),
        (#""max_tokens":1"#), (#""stop":"x""#), (#""stop":["a","b","c","d"]"#),
        (#""seed":9223372036854775807"#),
    ])
    func `the ends of a range are inside`(_ members: String) throws {
        _ = try readRequest(members)
    }
}

@Suite struct InvalidRequests {
    typealias Row = RefusedMembers

    static let ranges: [Row] = [
        Row(#""temperature":2.01"#, "temperature", .decimalAboveMaxValue),
        Row(#""temperature":-0.01"#, "temperature", .decimalBelowMinValue),
        Row(#""temperature":"1""#, "temperature", .invalidType),
        Row(#""top_p":1.1"#, "top_p", .decimalAboveMaxValue),
        Row(#""top_k":0"#, "top_k", .integerBelowMinValue),
        Row(#""top_k":129"#, "top_k", .integerAboveMaxValue),
        Row(#""top_k":1.5"#, "top_k", .invalidType),
        Row(#""min_p":-1"#, "min_p", .decimalBelowMinValue),
        Row(#""repetition_penalty":0"#, "repetition_penalty", .decimalBelowMinValue),
        Row(#""frequency_penalty":2.5"#, "frequency_penalty", .decimalAboveMaxValue),
        Row(#""presence_penalty":-2.5"#, "presence_penalty", .decimalBelowMinValue),
        Row(#""max_tokens":0"#, "max_tokens", .integerBelowMinValue),
        Row(#""max_tokens":-1"#, "max_tokens", .integerBelowMinValue),
        Row(#""max_tokens":2147483648"#, "max_tokens", .integerAboveMaxValue),
        Row(#""max_tokens":9223372036854775808"#, "max_tokens", .integerAboveMaxValue),
        Row(#""max_completion_tokens":1e300"#, "max_completion_tokens", .integerAboveMaxValue),
        Row(#""max_tokens":true"#, "max_tokens", .invalidType),
        Row(#""max_tokens":4,"max_completion_tokens":5"#, "max_tokens", .invalidValue),
        Row(#""seed":9223372036854775808"#, "seed", .integerAboveMaxValue),
        Row(#""seed":1.5"#, "seed", .invalidType),
        Row(#""n":0"#, "n", .integerBelowMinValue),
        Row(#""n":129"#, "n", .integerAboveMaxValue),
        Row(#""n":1.5"#, "n", .invalidType),
        Row(#""stop":[]"#, "stop", .emptyArray),
        Row(#""stop":["a","b","c","d","e"]"#, "stop", .arrayAboveMaxLength),
        Row(#""stop":"""#, "stop", .invalidValue),
        Row(#""stop":["a",""]"#, "stop[1]", .invalidValue),
        Row(#""stop":[1]"#, "stop[0]", .invalidType),
        Row(#""stream":1"#, "stream", .invalidType),
        Row(#""stream_options":{}"#, "stream_options", .invalidValue),
        Row(
            #""stream":true,"stream_options":{"include_usage":1}"#, "stream_options.include_usage",
            .invalidType),
        Row(#""user":5"#, "user", .invalidType),
    ]

    @Test(arguments: ranges) func `a value outside of its range is refused by name`(_ row: Row)
        throws
    {
        try row.check()
    }

    @Test(arguments: [
        (#""best_of":2"#, "best_of"),
        (#""n_predict":-1"#, "n_predict"), (#""api_base":"http://169.254.169.254""#, "api_base"),

        (#""grammar":"x""#, "grammar"),
    ])
    func `a parameter that is not supported yet is refused by name`(
        _ members: String, _ parameter: String
    ) throws {
        let fault = try requestFault { try readRequest(members) }
        #expect(fault.parameter == parameter)
        #expect(fault.code == .unsupportedParameter)
    }

    static let messages: [Row] = [
        Row("[]", "messages", .emptyArray),
        Row("5", "messages", .invalidType),
        Row("[5]", "messages[0]", .invalidType),
        Row(#"[{"content":"x"}]"#, "messages[0].role", .missingRequiredParameter),
        Row(#"[{"role":5,"content":"x"}]"#, "messages[0].role", .invalidType),
        Row(
            #"[{"role":"user","content":"x"},{"role":"robot","content":"x"}]"#, "messages[1].role",
            .invalidValue),
        Row(#"[{"role":"user"}]"#, "messages[0].content", .missingRequiredParameter),
        Row(#"[{"role":"user","content":null}]"#, "messages[0].content", .invalidType),
        Row(#"[{"role":"assistant","content":null}]"#, "messages[0].content", .invalidType),
        Row(#"[{"role":"user","content":[]}]"#, "messages[0].content", .emptyArray),
        Row(#"[{"role":"user","content":[5]}]"#, "messages[0].content[0]", .invalidType),
        Row(
            #"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]"#,
            "messages[0].content[1].image_url.url", .invalidValue),
        Row(
            #"[{"role":"user","content":[{"type":"hologram"}]}]"#, "messages[0].content[0].type",
            .invalidValue),
        Row(
            #"[{"role":"user","content":[{"type":"text"}]}]"#, "messages[0].content[0].text",
            .missingRequiredParameter),
        Row(
            #"[{"role":"user","content":[{"type":"refusal","refusal":"no"}]}]"#,
            "messages[0].content[0].type", .unsupportedParameter),
        Row(
            #"[{"role":"user","content":"x","audio":{"id":"a"}}]"#, "messages[0].audio",
            .invalidValue),
        Row(
            #"[{"role":"user","content":"x","reasoning_content":"y"}]"#,
            "messages[0].reasoning_content", .invalidValue),
        Row(#"[{"role":"function","content":"x"}]"#, "messages[0].name", .missingRequiredParameter),
        Row(#"[{"role":"user","content":"x","name":1}]"#, "messages[0].name", .invalidType),
    ]

    @Test(arguments: messages) func `a wrong message is refused with its path`(_ row: Row) throws {
        let fault = try requestFault {
            try readRequest(body: #"{"model":"m","messages":\#(row.members)}"#)
        }
        #expect(fault.parameter == row.parameter)
        #expect(fault.code == row.code)
    }

    @Test(arguments: [
        (#"{"messages":"x"}"#, "model", RequestFault.Code.missingRequiredParameter),
        (#"{"model":null,"messages":"x"}"#, "model", .missingRequiredParameter),
        (#"{"model":"","messages":"x"}"#, "model", .invalidValue),
        (#"{"model":7,"messages":"x"}"#, "model", .invalidType),
        (#"{"model":"m"}"#, "messages", .missingRequiredParameter),
    ])
    func `model and messages are required`(
        _ body: String, _ parameter: String, _ code: RequestFault.Code
    ) throws {
        let fault = try requestFault { try readRequest(body: body) }
        #expect(fault.parameter == parameter)
        #expect(fault.code == code)
    }

    @Test(arguments: ["[]", "5", "null", #""x""#])
    func `a body that is no object is refused`(_ body: String) throws {
        #expect(try requestFault { try readRequest(body: body) }.code == .invalidType)
    }
}

@Suite struct PromptBounds {
    @Test func `the bound of a prompt covers every byte and the template around it`() {
        let request = ChatCompletionRequest(
            model: "m",
            messages: [
                ChatMessage(role: .user, content: .parts([.text("é"), .text("ab")]), name: "bo"),
                ChatMessage(role: .system, content: .text("")),
            ])
        #expect(PromptBound.bytes(request) == 4 + 2 + 2 + 2 + 6)
        #expect(PromptBound.tokens(request, imageTokens: 0) == 16 + 2 * 16 + 64)
    }

    @Test(arguments: [
        (Int64?.none, Int64(4096), Int64(8192), Int64(1 << 20), Int64(4096)),
        (nil, 4096, 512, 1024, 512), (nil, 4096, 8192, 1024, 1024),
        (9000, 4096, 8192, 1 << 20, 8192),
        (5, 4096, 8192, 1024, 5), (nil, 0, 512, 512, 1),
    ])
    func `the bound of a completion is the smallest that anybody sets`(
        _ asked: Int64?, _ fallback: Int64, _ maximum: Int64, _ context: Int64, _ expected: Int64
    ) {
        let bound = PromptBound.completion(
            asked: asked, fallback: fallback, maximum: maximum, contextTokens: context)
        #expect(bound == expected)
    }
}
