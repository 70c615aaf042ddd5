import Foundation
import JSON
import Testing

@testable import Gateway

@Suite struct SamplingParameters {
    @Test func `biases and probabilities are read`() throws {
        let request = try readRequest(
            #""logit_bias":{"50256":-100,"7":0.5},"logprobs":true,"top_logprobs":20"#)
        let expected = ChatCompletionRequest.plain {
            $0.logitBias = [LogitBias(token: 50256, bias: -100), LogitBias(token: 7, bias: 0.5)]
            $0.tellsLogprobs = true
            $0.topLogprobs = 20
        }
        #expect(request == expected)
    }

    @Test(arguments: [
        #""do_sample":false"#, #""do_sample":false,"temperature":1.5"#,
        #""temperature":1.5,"do_sample":false"#,
    ])
    func `a request that is not to be sampled is greedy`(_ members: String) throws {
        #expect(try readRequest(members).temperature == 0)
        #expect(try readRequest(#""do_sample":true"#).temperature == nil)
    }

    static let refused: [RefusedMembers] = [
        .init(#""logit_bias":[]"#, "logit_bias", .invalidType),
        .init(#""logit_bias":{"a":1}"#, "logit_bias", .invalidValue),
        .init(#""logit_bias":{"-1":1}"#, "logit_bias", .invalidValue),
        .init(#""logit_bias":{"":1}"#, "logit_bias", .invalidValue),
        .init(#""logit_bias":{"9999999999":1}"#, "logit_bias", .invalidValue),
        .init(#""logit_bias":{"7":1,"07":2}"#, "logit_bias", .invalidValue),
        .init(#""logit_bias":{"1":100.5}"#, "logit_bias.1", .decimalAboveMaxValue),
        .init(#""logit_bias":{"1":-101}"#, "logit_bias.1", .decimalBelowMinValue),
        .init(#""logit_bias":{"1":"x"}"#, "logit_bias.1", .invalidType),
        .init(#""logit_bias":{"1":null}"#, "logit_bias.1", .invalidType),
        .init(
            #""logit_bias":{\#((0...300).map { #""\#($0)":1"# }.joined(separator: ","))}"#,
            "logit_bias", .objectAboveMaxLength),
        .init(#""logprobs":1"#, "logprobs", .invalidType),
        .init(#""top_logprobs":0"#, "top_logprobs", .invalidValue),
        .init(#""logprobs":false,"top_logprobs":2"#, "top_logprobs", .invalidValue),
        .init(#""logprobs":true,"top_logprobs":21"#, "top_logprobs", .integerAboveMaxValue),
        .init(#""logprobs":true,"top_logprobs":-1"#, "top_logprobs", .integerBelowMinValue),
        .init(#""logprobs":true,"top_logprobs":1.5"#, "top_logprobs", .invalidType),
        .init(#""do_sample":0"#, "do_sample", .invalidType),
    ]

    @Test(arguments: refused) func `what is out of range is refused by name`(
        _ row: RefusedMembers
    ) throws {
        try row.check()
    }

    @Test(arguments: [(nil, 1, nil), (0, 1, 0), (5, 5, 5)] as [(Int?, Int, Int?)])
    func `probabilities are asked for so that each backend tells what the client asked`(
        _ top: Int?, _ engine: Int, _ upstream: Int?
    ) throws {
        let change: (inout ChatCompletionRequest) -> Void = {
            $0.tellsLogprobs = true
            $0.topLogprobs = top
        }
        let native = try forwardedBody(.llamaServer, change: change)
        #expect(native["logprobs"] as? Bool == true)
        #expect(native["top_logprobs"] as? Int == engine)
        let open = try forwardedBody(.openAI(bound: .maxCompletionTokens), change: change)
        #expect(open["logprobs"] as? Bool == true)
        #expect(open["top_logprobs"] as? Int == upstream)
    }

    @Test(arguments: [Dialect.llamaServer, .openAI(bound: .maxTokens)])
    func `biases are sent by token, whole ones as integers`(_ dialect: Dialect) throws {
        let call = BackendCall.ask("hi") {
            $0.logitBias = [LogitBias(token: 5, bias: -100), LogitBias(token: 6, bias: 0.5)]
        }
        let text = String(
            decoding: ForwardedBody.make(call, in: dialect, streams: true), as: UTF8.self)
        #expect(text.contains(#""logit_bias":{"5":-100,"6":0.5}"#))
    }
}
