import Foundation
import Testing

@testable import Gateway

@Suite struct FormatParameters {
    private static let schema =
        #""response_format":{"type":"json_schema","json_schema":{"name":"s","description":"d","schema":{"type":"object"},"strict":true}}"#

    @Test func `the three forms are read and sent`() throws {
        #expect(try readRequest(#""response_format":{"type":"text"}"#) == .plain())
        let object = try readRequest(#""response_format":{"type":"json_object"}"#)
        #expect(object == .plain { $0.format = .jsonObject })
        let schema = try readRequest(Self.schema)
        for dialect in [Dialect.llamaServer, .openAI(bound: .maxTokens)] {
            let plain = try forwardedBody(dialect)
            #expect(plain["response_format"] == nil)
            let sent = try forwardedBody(dialect) { $0.format = schema.format }
            let format = try #require(sent["response_format"] as? [String: Any])
            #expect(format["type"] as? String == "json_schema")
            let inner = try #require(format["json_schema"] as? [String: Any])
            #expect(inner["name"] as? String == "s" && inner["description"] as? String == "d")
            #expect((inner["schema"] as? [String: String]) == ["type": "object"])
            #expect(inner["strict"] as? Bool == true)
        }
    }

    static let refused: [RefusedMembers] = [
        .init(#""response_format":"text""#, "response_format", .invalidType),
        .init(#""response_format":{}"#, "response_format.type", .missingRequiredParameter),
        .init(#""response_format":{"type":"xml"}"#, "response_format.type", .invalidValue),
        .init(
            #""response_format":{"type":"json_object","schema":{}}"#, "response_format.schema",
            .unsupportedParameter),
        .init(
            #""response_format":{"type":"json_schema"}"#, "response_format.json_schema",
            .missingRequiredParameter),
        .init(
            #""response_format":{"type":"json_schema","json_schema":{"schema":{}}}"#,
            "response_format.json_schema.name", .missingRequiredParameter),
        .init(
            #""response_format":{"type":"json_schema","json_schema":{"name":"a.b","schema":{}}}"#,
            "response_format.json_schema.name", .invalidValue),
        .init(
            #""response_format":{"type":"json_schema","json_schema":{"name":"a"}}"#,
            "response_format.json_schema.schema", .missingRequiredParameter),
        .init(
            #""context_length_exceeded_behavior":"cut""#, "context_length_exceeded_behavior",
            .invalidValue),
        .init(#""verbosity":"loud""#, "verbosity", .invalidValue),
        .init(#""user":5"#, "user", .invalidType),
        .init(
            #""safety_identifier":"\#(String(repeating: "é", count: 65))""#, "safety_identifier",
            .stringAboveMaxLength),
        .init(#""prompt_cache_key":{}"#, "prompt_cache_key", .invalidType),
        .init(#""prompt_cache_options":[]"#, "prompt_cache_options", .invalidType),
        .init(
            #""prompt_cache_options":{"mode":"off"}"#, "prompt_cache_options.mode", .invalidValue),
        .init(#""prompt_cache_options":{"ttl":"1h"}"#, "prompt_cache_options.ttl", .invalidValue),
        .init(#""prompt_cache_retention":"1h""#, "prompt_cache_retention", .invalidValue),
        .init(#""metadata":[]"#, "metadata", .invalidType),
        .init(#""metadata":{"a":1}"#, "metadata[0]", .invalidType),
        .init(
            #""metadata":{"a":"","\#(String(repeating: "k", count: 65))":""}"#, "metadata",
            .stringAboveMaxLength),
        .init(
            #""metadata":{"a":"","b":"\#(String(repeating: "v", count: 513))"}"#, "metadata[1]",
            .stringAboveMaxLength),
        .init(
            #""metadata":{\#((0...16).map { #""\#($0)":"""# }.joined(separator: ","))}"#,
            "metadata", .objectAboveMaxLength),
    ]

    @Test(arguments: refused) func `a wrong value is refused with its path`(
        _ row: RefusedMembers
    ) throws {
        try row.check()
    }

    @Test func `metadata at its limits is told back and sent to nobody`() throws {
        let value = String(repeating: "é", count: 512)
        let pairs = (0..<16).map {
            #""\#(String(repeating: "k", count: 62))\#($0 + 10)":"\#(value)""#
        }
        let request = try readRequest(#""metadata":{\#(pairs.joined(separator: ","))}"#)
        #expect(request.metadata.count == 16)
        for dialect in [Dialect.llamaServer, .openAI(bound: .maxTokens)] {
            let sent = try forwardedBody(dialect) { $0.metadata = request.metadata }
            #expect(sent["metadata"] == nil)
        }
    }

    @Test func `names of the client's user reach an upstream and no engine`() throws {
        let change: (inout ChatCompletionRequest) -> Void = {
            $0.safetyIdentifier = "s"
            $0.promptCacheKey = "k"
            $0.verbosity = .high
        }
        let sent = try forwardedBody(.openAI(bound: .maxTokens), change: change)
        #expect(sent["safety_identifier"] as? String == "s")
        #expect(sent["prompt_cache_key"] as? String == "k")
        #expect(sent["verbosity"] as? String == "high")
        let engine = try forwardedBody(.llamaServer, change: change)
        #expect(engine["safety_identifier"] == nil && engine["prompt_cache_key"] == nil)
        #expect(
            Dialect.llamaServer.unsupportedParameter(in: .plain { $0.verbosity = .low })
                == "verbosity")
        #expect(
            Dialect.llamaServer.unsupportedParameter(in: .plain { $0.verbosity = .medium }) == nil)
    }

    @Test func `a schema counts in the bound of the prompt, and beside tools is refused`() throws {
        let request = try readRequest(Self.schema)
        let plain = PromptBound.tokens(.plain(), imageTokens: 0)
        #expect(PromptBound.bytes(request) == 6 + 2 + 17)
        #expect(PromptBound.tokens(request, imageTokens: 0) > plain + 256 + 2 + 17)
        var both = request
        both.tools.functions = [FunctionTool(name: "f")]
        #expect(Dialect.llamaServer.unsupportedParameter(in: both) == "response_format")
        both.tools.choice = ToolChoice.none
        #expect(Dialect.llamaServer.unsupportedParameter(in: both) == nil)
    }
}
