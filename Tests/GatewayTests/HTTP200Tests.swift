import Domain
import Testing

@testable import Gateway

@Suite struct ChatCompletions200 {
    @Test func `a plain answer has the contract's shape and is settled once`() async throws {
        let usage = TokenUsage(prompt: 5, cached: 2, completion: 2, reasoning: 1)
        try await withGateway(backend: ScriptedBackend(.text(["Hello", " you"], usage))) {
            gateway in
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains(#""object":"chat.completion","created":"#))
            #expect(
                answer.contains(
                    #""choices":[{"index":0,"message":{"role":"assistant","content":"Hello you","refusal":null},"logprobs":null,"finish_reason":"stop"}]"#
                ))
            #expect(
                answer.contains(
                    #""usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":1,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0},"cache_creation_input_tokens":0,"cache_read_input_tokens":2,"input_tokens_count":5,"output_tokens_count":2,"total_tokens_count":7,"time_to_first_token":"#
                ))
            #expect(answer.contains(#""model":"tiny","system_fingerprint":"fp_"#))
            let settlements = gateway.ledger.settlements.elements
            #expect(settlements.map(\.basis) == [.reported])
            #expect(settlements.map(\.usage) == [usage])
        }
    }

    @Test func `the bound is what the client asks for and is written into the call`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            _ = try await gateway.post(RunningGateway.plain)
            _ = try await gateway.post(#"{"model":"tiny","messages":"hi"}"#)
            let calls = gateway.backend.calls.elements
            #expect(calls.map(\.completionBound) == [8, 512])
            #expect(calls.map(\.upstreamModel) == ["tiny.gguf", "tiny.gguf"])
            let bounds = gateway.ledger.admissions.elements.map(\.bound)
            #expect(bounds.map(\.completion) == [8, 512])
            #expect(bounds.map(\.prompt) == [86, 86])
        }
    }

    @Test func `every answer to a known key carries the six headers`() async throws {
        let ledger = HeldLedger()
        ledger.answer {
            $0.standing = Standing(
                requests: .init(limit: 60, remaining: 59, reset: .milliseconds(120)), tokens: nil)
        }
        try await withGateway(ledger: ledger, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            for body in [
                RunningGateway.plain, RunningGateway.streaming, "{",
                #"{"model":"no","messages":"x"}"#,
            ] {
                let answer = try await gateway.post(body)
                #expect(answer.header("x-ratelimit-limit-requests") == "60")
                #expect(answer.header("x-ratelimit-remaining-requests") == "59")
                #expect(answer.header("x-ratelimit-reset-requests") == "120ms")
                #expect(answer.header("x-ratelimit-limit-tokens") == "2147483647")
                #expect(answer.header("x-ratelimit-remaining-tokens") == "2147483647")
                #expect(answer.header("x-ratelimit-reset-tokens") == "0s")
                #expect(answer.header("ratelimit-policy") == #""requests";q=60"#)
                #expect(answer.header("ratelimit") == #""requests";r=59;t=1"#)
                #expect(answer.header("x-request-id")?.hasPrefix("req_") == true)
                #expect(answer.header("openai-processing-ms") != nil)
            }
        }
    }

    @Test func `the IETF's headers tell each limit there is, and nothing where none is`()
        async throws
    {
        let ledger = HeldLedger()
        for (tokens, told) in [
            (
                Standing.Line(limit: .max, remaining: 7, reset: .seconds(60)),
                #""tokens";r=7;t=60"#
            ), (nil, nil),
        ] as [(Standing.Line?, String?)] {
            ledger.answer { $0.standing = Standing(requests: nil, tokens: tokens) }
            try await withGateway(ledger: ledger, backend: ScriptedBackend(.text(["x"], nil))) {
                gateway in
                let answer = try await gateway.post(RunningGateway.plain)
                #expect(answer.header("ratelimit") == told)
                #expect(
                    answer.header("ratelimit-policy")
                        == told.map { _ in #""tokens";q=999999999999999"# })
            }
        }
    }

    @Test func `a stream has one id, one role, one end and the usage that was asked for`()
        async throws
    {
        let usage = TokenUsage(prompt: 5, completion: 2)
        try await withGateway(backend: ScriptedBackend(.text(["Hel", "lo"], usage))) { gateway in
            let body =
                #"{"model":"tiny","stream":true,"stream_options":{"include_usage":true},"messages":"hi"}"#
            let answer = try await gateway.post(body)
            #expect(answer.header("content-type") == "text/event-stream; charset=utf-8")
            #expect(answer.header("cache-control") == "no-cache")
            #expect(answer.header("x-accel-buffering") == "no")
            #expect(answer.components(of: #""role":"assistant","content":"""#) == 1)
            #expect(answer.components(of: #""content":"Hel""#) == 1)
            #expect(answer.components(of: #""content":"lo""#) == 1)
            #expect(answer.components(of: #""delta":{},"finish_reason":"stop""#) == 1)
            #expect(answer.components(of: #""usage":null"#) == 4)
            #expect(answer.components(of: #""choices":[],"usage":{"prompt_tokens":5,"#) == 1)
            #expect(answer.components(of: "data: [DONE]\n\n") == 1)
            let first = try #require(answer.firstRange(of: "chatcmpl-"))
            let id = String(answer[first.lowerBound...].prefix(41))
            #expect(answer.components(of: id) == 5)
        }
    }

    @Test func `usage is not shown to a client that did not ask`() async throws {
        try await withGateway(
            backend: ScriptedBackend(.text(["x"], TokenUsage(prompt: 5, completion: 2)))
        ) {
            let answer = try await $0.post(RunningGateway.streaming)
            #expect(!answer.contains("usage"))
            #expect(answer.contains("data: [DONE]"))
        }
    }

    @Test func `a connection serves one request after another, also after errors`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post("{"))
            _ = await client.received("HTTP/1.1 400", times: 1)
            client.send("GET /nothing HTTP/1.1\r\nHost: t\r\n\r\n")
            _ = await client.received("HTTP/1.1 404", times: 1)
            client.send(RunningGateway.post(RunningGateway.streaming))
            _ = await client.received("data: [DONE]\n\n\r\n0\r\n\r\n", times: 1)
            client.send(RunningGateway.post(RunningGateway.plain))
            let all = await client.received(#""object":"chat.completion","#)
            #expect(all.components(of: "HTTP/1.1 200 OK") == 2)
            #expect(!client.isClosed)
            try await client.close()
        }
    }

    @Test func `pipelined requests are answered in their order`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let get =
                "GET /v1/models HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer \(OneKey.secret)\r\n"
            let answer = try await gateway.exchange(
                String(repeating: get + "\r\n" + "GET /no HTTP/1.1\r\nHost: t\r\n\r\n", count: 20)
                    + RunningGateway.post(RunningGateway.plain) + get + "Connection: close\r\n\r\n")
            #expect(answer.components(of: "HTTP/1.1 200 OK") == 22)
            #expect(answer.components(of: "HTTP/1.1 404 Not Found") == 20)
            let chat = try #require(answer.firstRange(of: "chat.completion"))
            #expect(String(answer[..<chat.lowerBound]).components(of: "HTTP/1.1") == 41)
        }
    }

    @Test func `a client that waits for 100-continue is told to go on`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let client = try await RawClient.connect(gateway.port)
            let request = RunningGateway.post(RunningGateway.plain, "Expect: 100-continue\r\n")
            let head = try #require(request.firstRange(of: "\r\n\r\n"))
            client.send(String(request[..<head.upperBound]))
            _ = await client.received("HTTP/1.1 100 Continue\r\n\r\n")
            client.send(String(request[head.upperBound...]))
            _ = await client.received("HTTP/1.1 200 OK")
            try await client.close()
        }
    }
}

@Suite struct OtherClients {
    private func post(_ line: String, _ more: String, _ body: String) -> String {
        "\(line)\r\nHost: t\r\nAuthorization: bearer \(OneKey.secret)\r\n\(more)"
            + "Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func `a client that offers HTTP/2 gets HTTP/1.1 and comes again`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let offer =
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAA\r\n"
            let answer = try await gateway.exchange(
                post("POST /v1/chat/completions HTTP/1.1", offer, RunningGateway.plain))
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(answer.header("connection") == "close")
        }
    }

    /// It knows no chunks, so that the end of its connection is that of a stream, even if it asks to
    /// keep it.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (RunningGateway.plain, ""), (RunningGateway.streaming, ""),
            (RunningGateway.streaming, "Connection: keep-alive\r\n"),
        ])
    func `a client of HTTP/1.0 gets an answer that ends with its connection`(
        _ body: String, _ wish: String
    ) async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let answer = try await gateway.exchange(
                post("POST /chat/completions HTTP/1.0", wish, body))
            #expect(answer.hasPrefix("HTTP/1.0 200"))
            #expect(answer.header("transfer-encoding") == nil)
            #expect(answer.hasSuffix(body == RunningGateway.plain ? "}}" : "[DONE]\n\n"))
        }
    }

    @Test func `a client that talks as to a proxy is understood`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let line = "POST http://t:8080/v1/chat/completions?a=b HTTP/1.1"
            let answer = try await gateway.exchange(
                post(line, "Connection: close\r\n", RunningGateway.plain))
            #expect(answer.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func `a client that asks for a head gets no body`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let answer = try await gateway.exchange(
                "HEAD /v1/models HTTP/1.1\r\nHost: t\r\n\r\nGET /no HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
            )
            #expect(answer.hasPrefix("HTTP/1.1 405"))
            #expect(answer.components(of: "\r\n\r\nHTTP/1.1 404") == 1)
        }
    }
}

@Suite struct Models200 {
    private func get(_ path: String) -> String {
        "GET \(path) HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer \(OneKey.secret)\r\nConnection: close\r\n\r\n"
    }

    @Test func `a key sees only the models it may use`() async throws {
        let limited = Principal(
            shard: Shard(rawValue: 0), organization: .default, team: TeamID(rawValue: 7),
            key: KeyID(rawValue: 42), keySubject: 42, allowedModels: ["tiny"],
            defaultCompletionTokens: nil, alwaysShowsUsage: false, quotas: [], rateLimits: [])
        try await withGateway(backend: ScriptedBackend(.text([], nil)), principal: limited) {
            gateway in
            for path in ["/v1/models", "/models", "/models?limit=5"] {
                let list = try await gateway.exchange(get(path))
                #expect(list.contains(#"{"object":"list","data":[{"id":"tiny","object":"model","#))
                #expect(!list.contains("secret"))
            }
            let answer1 = try await gateway.exchange(get("/v1/models/t%69ny"))
            #expect(answer1.hasPrefix("HTTP/1.1 200"))
            let hidden = try await gateway.exchange(get("/v1/models/secret"))
            #expect(hidden.hasPrefix("HTTP/1.1 404"))
            let refused = try await gateway.post(#"{"model":"secret","messages":"x"}"#)
            #expect(refused.hasPrefix("HTTP/1.1 403"))
            #expect(refused.contains(#""code":"model_not_allowed""#))
        }
    }
}

@Suite struct AdminListener {
    private func get(_ path: String) -> String {
        "GET \(path) HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
    }

    @Test func `what was counted is told as Prometheus reads it`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["Hi"], nil))) { gateway in
            let refused = try await gateway.post(#"{"model":"tiny"}"#)
            #expect(refused.hasPrefix("HTTP/1.1 400"))
            var told = ""
            // An answer is counted once it is out.
            for _ in 0..<10_000 where !told.contains(#"{status="4xx"} 1"#) {
                let client = try await RawClient.connect(gateway.adminPort)
                client.send(get("/metrics"))
                told = await client.rest()
            }
            #expect(told.contains("content-type: text/plain; version=0.0.4; charset=utf-8"))
            for line in [
                "# TYPE turnpike_requests_total counter",
                #"turnpike_requests_total{status="4xx"} 1"#,
                #"turnpike_requests_total{status="5xx"} 0"#,
                "# TYPE turnpike_request_duration_seconds histogram",
                #"turnpike_request_duration_seconds_bucket{le="+Inf"} 1"#,
                "turnpike_request_duration_seconds_count 1",
                "# HELP turnpike_clients_gone_total Requests whose client left before the end.",
                "turnpike_clients_gone_total 0",
            ] { #expect(told.contains(line + "\n"), "\(line)") }
        }
    }

    @Test func `health and readiness are told apart`() async throws {
        let backend = ScriptedBackend(.text([], nil))
        try await withGateway(backend: backend) { gateway in
            func ask(_ path: String) async throws -> String {
                let client = try await RawClient.connect(gateway.adminPort)
                client.send(get(path))
                return await client.rest()
            }
            let answer2 = try await ask("/readyz")
            #expect(answer2.hasPrefix("HTTP/1.1 200"))
            backend.becomeUnavailable(
                BackendFailure(kind: .unreachable, detail: "connect to 10.0.0.1 failed"))
            let ready = try await ask("/readyz")
            #expect(ready.hasPrefix("HTTP/1.1 503"))
            #expect(
                ready.contains(#"{"status":"not_ready","reasons":["backend local: unreachable"]}"#))
            let answer3 = try await ask("/healthz")
            #expect(answer3.hasPrefix("HTTP/1.1 200"))
            let answer4 = try await ask("/v1/models")
            #expect(answer4.hasPrefix("HTTP/1.1 404"))
        }
    }
}
