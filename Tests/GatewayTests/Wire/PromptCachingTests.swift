import Testing

@testable import Gateway

@Suite struct PromptCachings {
    private static let all =
        #""prompt_cache_options":{"mode":"explicit","ttl":"30m"},"prompt_cache_retention":"24h""#

    @Test func `OpenAI is told of the prompt's cache as it was asked for`() throws {
        let request = try readRequest(Self.all)
        let dialect = Dialect.openAI(bound: .maxTokens)
        let sent = try forwardedBody(dialect) { $0.caching = request.caching }
        #expect(
            sent["prompt_cache_options"] as? [String: String] == ["mode": "explicit", "ttl": "30m"])
        #expect(sent["prompt_cache_retention"] as? String == "24h")
        #expect(dialect.unsupportedParameter(in: request) == nil)
        let silent = try forwardedBody(dialect) {
            $0.caching = (try? readRequest(#""prompt_cache_options":{}"#))?.caching ?? $0.caching
        }
        #expect(silent["prompt_cache_options"] == nil)
        #expect(silent["prompt_cache_retention"] == nil)
    }

    @Test func `who wants nothing of a prompt kept gets that from the engine`() throws {
        for (mode, kept) in [(PromptCaching.Mode.explicit, false), (.implicit, nil)] {
            let sent = try forwardedBody(.llamaServer) { $0.caching.mode = mode }
            #expect(sent["cache_prompt"] as? Bool == kept)
            #expect(sent["prompt_cache_options"] == nil)
        }
    }

    @Test(
        arguments: [
            (#""prompt_cache_options":{"ttl":"30m"}"#, "prompt_cache_options.ttl"),
            (#""prompt_cache_retention":"24h""#, "prompt_cache_retention"),
            (#""prompt_cache_retention":"in_memory""#, nil),
            (
                #""prompt_cache_retention":"in-memory","prompt_cache_options":{"mode":"implicit"}"#,
                nil
            ),
        ] as [(String, String?)])
    func `a long life is promised by no engine and no imitation`(
        members: String, refused: String?
    ) throws {
        let request = try readRequest(members)
        #expect(Dialect.llamaServer.unsupportedParameter(in: request) == refused)
        for server in [UpstreamServer.vLLM, .sgLang, .ollama] {
            #expect(server.unsupported(in: request) == refused)
        }
        #expect(UpstreamServer.openAI.unsupported(in: request) == nil)
    }

    @Test func `an imitation that keeps what it likes is not asked to keep nothing`() throws {
        let request = try readRequest(#""prompt_cache_options":{"mode":"explicit"}"#)
        for server in [UpstreamServer.vLLM, .sgLang, .ollama] {
            #expect(server.unsupported(in: request) == "prompt_cache_options.mode")
        }
    }
}
