import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Anthropic's Messages API behind the chat-completions endpoint.
    @Suite(.servedWithMessages) struct `An upstream that speaks Anthropic's API` {
        @Test(.timeLimit(.minutes(1)))
        func `the openai package gets through the gateway what the anthropic package gets itself`()
            async throws
        {
            let gateway = try ServedGateway.current()
            MessagesScripts.write(to: gateway.scripts)
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "10000000/day"])
                let told = try JSONNode(gateway.pythonText("messages_openai", key))
                let sent = gateway.upstream.requests.filter { $0.path == "/v1/messages" }
                #expect(sent.allSatisfy { $0.header("x-api-key") == ServedGateway.messagesKey })
                let own = try self.own(gateway, key, sent)

                for (name, refusal) in told["refused"]?.members ?? [:] {
                    // A model's own maximum is a bound like any other: the gateway knows it.
                    let code =
                        name == "temperature" ? "decimal_above_max_value" : "unsupported_parameter"
                    #expect(refusal.elements.map(\.text) == [code, name], "\(name)")
                }
                #expect((told["refused"]?.members.count ?? 0) == 15)

                var next = own[...]
                for (position, answer) in (told["answers"]?.elements ?? []).enumerated() {
                    try compare(answer, with: &next, "call \(position)")
                }
                #expect(told["answers"]?.elements.count == 36)
                #expect(next.isEmpty, "calls that nobody made: \(next.count)")
                let account = try AccountSampler.account(gateway, key)
                #expect(account.used > 0 && account.reserved == 0)
            }
        }

        /// What the `anthropic` package makes of the same bodies, one answer each.
        private func own(
            _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey,
            _ sent: [ScriptedUpstream.Request]
        ) throws -> [JSONNode] {
            let file = gateway.folder + "/bodies"
            try sent.map(\.text).joined(separator: "\n").write(
                toFile: file, atomically: true, encoding: .utf8)
            let told = try gateway.pythonText(
                "messages_anthropic", key, [file, "http://127.0.0.1:\(gateway.upstream.port)"])
            let answers = try JSONNode(told)["answers"]?.elements ?? []
            #expect(answers.count == sent.count)
            return answers
        }

        /// Compares one answer of the gateway with what the upstream said to as many calls as it
        /// has choices.
        private func compare(
            _ answer: JSONNode, with own: inout ArraySlice<JSONNode>, _ name: String
        ) throws {
            if answer["error"] != nil {
                let first = try next(of: &own, name)
                compareErrors(answer, first, name)
                return
            }
            var completion = 0.0
            for choice in answer["choices"]?.elements ?? [] {
                let first = try next(of: &own, name)
                for member in ["text", "thinking", "calls", "finish"] {
                    #expect(choice[member] == first[member], "\(name): \(member)")
                }
                completion += first["usage.completion"]?.number ?? -1
                for member in ["prompt", "cached", "written"] {
                    let count = answer["usage"]?[member]
                    #expect(count == first["usage"]?[member], "\(name): \(member)")
                }
            }
            #expect(answer["usage.completion"]?.number == completion, "\(name)")
        }

        private func next(
            of own: inout ArraySlice<JSONNode>, _ name: String
        ) throws -> JSONNode {
            let first = own.popFirst()
            return try #require(first, "\(name)")
        }

        private func compareErrors(_ told: JSONNode, _ own: JSONNode, _ name: String) {
            let wanted: (status: Double, code: String, wait: Int?) =
                switch own["type"]?.text {
                case "overloaded_error": (503, "server_is_overloaded", 9)
                case "rate_limit_error": (503, "server_is_overloaded", 7)
                case "api_error": (502, "upstream_unavailable", nil)
                default: (0, "", nil)
                }
            #expect(told["status"]?.number == wanted.status, "\(name): \(told.json) \(own.json)")
            #expect(told["error"]?.text == "InternalServerError", "\(name)")
            #expect(told["code"]?.text == wanted.code, "\(name): \(told.json)")
            // At least what the upstream says, and up to a tenth more, so that not all come back at
            // once.
            let wait = told["wait"]?.text.flatMap { Int($0) }
            let isRight = wanted.wait.map { wait == $0 || wait == $0 + 1 } ?? (wait == nil)
            #expect(isRight, "\(name): \(told.json)")
        }
    }
}

extension ServedGateway {
    /// What a script prints.
    fileprivate func pythonText(
        _ script: String, _ key: IssuedKey, _ arguments: [String] = []
    ) throws -> String {
        let told = try python(script, key, arguments)
        return String(decoding: try JSONSerialization.data(withJSONObject: told), as: UTF8.self)
    }
}
