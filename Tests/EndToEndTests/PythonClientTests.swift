import Testing

extension EndToEnd {
    /// Clients that people use, from the Python package index, against the real engine.
    @Suite(.servedWithEngine) struct `Clients from PyPI` {
        @Test(.timeLimit(.minutes(1)))
        func `openai gets answers, streams, calls and structured outputs, waiting or not`()
            async throws
        {
            let told = try await run("client_openai")
            for client in ["sync", "async"] {
                let said = try #require(told[client] as? [String: Any])
                try expect(said, "plain", contains: "Tokyo")
                try expect(said, "parsed", contains: "Tokyo")
            }
            let said = try #require(told["sync"] as? [String: Any])
            for name in ["parsed_call", "streamed_call"] {
                try expect(said, name, contains: "Paris")
            }
            try expect(said, "told", contains: "sunny")
            try expect(said, "parsed_stream", contains: "Tokyo")
            #expect((said["models"] as? [String])?.contains("demo") == true)
            let waiting = try #require(told["async"] as? [String: Any])
            try expect(waiting, "streamed", contains: "Tokyo")
        }

        @Test(.timeLimit(.minutes(1)))
        func `langchain-openai invokes, streams, binds tools and gets structured output`()
            async throws
        {
            let told = try await run("client_langchain")
            for name in ["plain", "async", "streamed", "schema"] {
                try expect(told, name, contains: "Tokyo")
            }
            for name in ["call", "streamed_call", "function"] {
                try expect(told, name, contains: "Paris")
            }
            try expect(told, "told", contains: "sunny")
        }

        @Test(.timeLimit(.minutes(1)))
        func `litellm completes, streams and calls, and raises what it raises for OpenAI`()
            async throws
        {
            let told = try await run("client_litellm")
            for name in ["plain", "async", "streamed", "schema"] {
                try expect(told, name, contains: "Tokyo")
            }
            try expect(told, "call", contains: "Paris")
            try expect(told, "told", contains: "sunny")
            let errors = try #require(told["errors"] as? [String: [Any]])
            let wanted = [
                "model": ("NotFoundError", 404), "key": ("AuthenticationError", 401),
                "temperature": ("BadRequestError", 400),
            ]
            for (name, (kind, status)) in wanted {
                #expect(errors[name]?.first as? String == kind, "\(name): \(errors)")
                #expect(errors[name]?.last as? Int == status, "\(name): \(errors)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `llm answers, streams, follows a schema and calls a function`() async throws {
            let told = try await run("client_llm")
            for name in ["plain", "streamed", "schema"] {
                try expect(told, name, contains: "Tokyo")
            }
            try expect(told, "call", contains: "Paris")
            try expect(told, "told", contains: "sunny")
            let tokens = try #require(told["tokens"] as? [Int])
            #expect(tokens.count == 2 && tokens.allSatisfy { $0 > 0 })
        }

        /// Runs a client and checks that nothing of it is left open or uncharged.
        private func run(_ script: String) async throws -> [String: Any] {
            let gateway = try ServedGateway.current()
            let text = try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                let told = try gateway.python(script, key)
                let account = try AccountSampler.account(gateway, key)
                #expect(account.used > 0 && account.reserved == 0)
                return Told(values: told)
            }
            return text.values
        }

        private func expect(
            _ told: [String: Any], _ name: String, contains word: String
        ) throws {
            let text = try #require(told[name] as? String, "\(name)")
            #expect(text.contains(word), "\(name): \(text)")
        }

        // Unchecked: made on one thread and handed over once.
        private struct Told: @unchecked Sendable { let values: [String: Any] }
    }
}
