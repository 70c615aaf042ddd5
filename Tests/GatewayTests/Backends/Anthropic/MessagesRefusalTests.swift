import Testing

@testable import Gateway

@Suite struct MessagesRefusals {
    private static let function = #"{"type":"function","function":{"name":"f"}}"#
    private static let image = #""type":"image_url","image_url":{"url":"data:image/"#
    private static let long = String(repeating: "u", count: 257)

    private static func said(_ message: String) -> String {
        #""messages":[{"role":"user","content":"a"},\#(message)]"#
    }

    static let refused: [(members: String, parameter: String)] = [
        (#""min_p":0.1"#, "min_p"), (#""repetition_penalty":1.1"#, "repetition_penalty"),
        (#""frequency_penalty":0.1"#, "frequency_penalty"),
        (#""presence_penalty":-0.1"#, "presence_penalty"), (#""seed":0"#, "seed"),
        (#""logit_bias":{"5":1}"#, "logit_bias"), (#""logprobs":true"#, "logprobs"),
        (#""verbosity":"low""#, "verbosity"),
        (#""prompt_cache_options":{"ttl":"30m"}"#, "prompt_cache_options.ttl"),
        (#""prompt_cache_retention":"24h""#, "prompt_cache_retention"),
        (
            said(#"{"role":"assistant","content":"b","channel":"analysis"}"#),
            "messages[1].channel"
        ),
        (#""separate_reasoning":false"#, "separate_reasoning"),
        (#""chat_template_kwargs":{"a":1}"#, "chat_template_kwargs"),
        (#""context_length_exceeded_behavior":"error""#, "context_length_exceeded_behavior"),
        (#""temperature":1.01"#, "temperature"), (#""temperature":0.5,"top_p":0.5"#, "top_p"),
        (#""stop":["a"," \n"]"#, "stop"), (#""user":"\#(long)""#, "user"),
        (#""response_format":{"type":"json_object"}"#, "response_format"),
        (#""messages":[{"role":"system","content":"a"}]"#, "messages"),
        (#""messages":[{"role":"user","content":""}]"#, "messages"),
        (said(#"{"role":"user","name":"n","content":"a"}"#), "messages[1].name"),
        (said(#"{"role":"function","name":"n","content":"a"}"#), "messages[1].role"),
        (
            said(
                #"{"role":"assistant","tool_calls":[{"id":"a","type":"function","#
                    + #""function":{"name":"f","arguments":"[1]"}}]}"#),
            "messages[1].tool_calls[0].function.arguments"
        ),
        (
            said(#"{"role":"user","content":[{\#(image)tiff;base64,AA=="}}]}"#),
            "messages[1].content[0].image_url.url"
        ),
        (
            said(#"{"role":"user","content":[{\#(image)png;base64,AA==","detail":"low"}}]}"#),
            "messages[1].content[0].image_url.detail"
        ),
        // What thinking does not go with.
        (#""reasoning_effort":"low","temperature":0.5"#, "temperature"),
        (#""reasoning_effort":"low","top_p":0.9"#, "top_p"),
        (#""reasoning_effort":"low","top_k":5"#, "top_k"),
        (
            #""enable_thinking":true,"tools":[\#(function)],"tool_choice":"required""#,
            "tool_choice"
        ),
        (
            #""enable_thinking":true,"functions":[{"name":"f"}],"function_call":{"name":"f"}"#,
            "function_call"
        ),
    ]

    @Test(arguments: refused)
    func `what the API cannot express is refused by name`(
        members: String, parameter: String
    ) throws {
        #expect(try WrittenMessage(members).refusal == parameter)
    }

    @Test(arguments: [
        #""min_p":0,"repetition_penalty":1,"frequency_penalty":0,"presence_penalty":0"#,
        #""logit_bias":{},"logprobs":false,"verbosity":"medium","separate_reasoning":true"#,
        #""chat_template_kwargs":{},"temperature":1,"top_p":1,"n":3,"parallel_tool_calls":true"#,
        #""metadata":{"a":"b"},"response_format":{"type":"text"}"#,
        #""context_length_exceeded_behavior":"truncate""#,
    ])
    func `what says no more than the usual asks for nothing`(members: String) throws {
        let written = try WrittenMessage(members)
        #expect(written.refusal == nil)
        #expect(written.names == ["model", "max_tokens", "stream", "messages"])
    }

    @Test(arguments: [
        (#""temperature":0.5"#, "temperature"), (#""top_p":0.5"#, "top_p"),
        (#""top_k":5"#, "top_k"),
    ])
    func `models that take no sampling parameters are sent none`(
        members: String, parameter: String
    ) throws {
        #expect(try WrittenMessage(members, takesSampling: false).refusal == parameter)
        #expect(try WrittenMessage(members, takesSampling: true).refusal == nil)
        let neutral = try WrittenMessage(#""temperature":1,"top_p":1"#, takesSampling: false)
        #expect(neutral.refusal == nil)
    }
}
