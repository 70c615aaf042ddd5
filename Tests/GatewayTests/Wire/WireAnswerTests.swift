import Domain
import JSON
import NIOCore
import Testing

@testable import Gateway

@Suite struct ErrorEnvelopes {
    @Test func `the four keys are always there, and the request id`() {
        let answer = ErrorAnswer.invalid(400, "No \"x\"\n.")
        let body = String(decoding: answer.body(requestID: "req_1"), as: UTF8.self)
        #expect(
            body
                == #"{"error":{"message":"No \"x\"\n.","type":"invalid_request_error","param":null,"code":null},"request_id":"req_1"}"#
        )
    }

    static let failures: [(GatewayFailure, Int, String, String?)] = [
        (.malformedHTTP, 400, "invalid_request_error", nil),
        (.headersTooLarge, 431, "invalid_request_error", nil),
        (.bodyTooLarge(limit: 5), 413, "invalid_request_error", nil),
        (.unsupportedMediaType, 415, "invalid_request_error", nil),
        (.unsupportedContentEncoding, 415, "invalid_request_error", nil),
        (.requestTimeout, 408, "timeout_error", "request_timeout"),
        (.pathUnknown, 404, "invalid_request_error", nil),
        (.methodNotAllowed(allowed: "GET"), 405, "invalid_request_error", nil),
        (.keyMissing, 401, "invalid_request_error", nil),
        (.keyRefused, 401, "invalid_request_error", "invalid_api_key"),
        (.keySuspended(.key), 403, "permission_error", "key_suspended"),
        (.keySuspended(.team), 403, "permission_error", "team_suspended"),
        (.keySuspended(.organization), 403, "permission_error", "organization_suspended"),
        (.endpointForbidden(.chat), 403, "permission_error", "endpoint_not_allowed"),
        (.keyThrottled(retryAfter: .seconds(3)), 429, "requests", "rate_limit_exceeded"),
        (.booksUnavailable, 503, "api_error", "usage_unavailable"),
        (.booksThrottled(retryAfter: .seconds(3)), 429, "requests", "rate_limit_exceeded"),
        (.directoryUnavailable, 503, "api_error", "metering_unavailable"),
        (.modelForbidden("m"), 403, "permission_error", "model_not_allowed"),
        (.modelUnknown("m"), 404, "invalid_request_error", "model_not_found"),
        (.modelRetired("m"), 410, "invalid_request_error", "model_deprecated"),
        (.modelUnpriced("m"), 403, "permission_error", "model_not_priced"),
        (.meteringUnavailable(.unavailable), 503, "api_error", "metering_unavailable"),
        (.draining, 503, "service_unavailable_error", "server_is_overloaded"),
        (.noBackend, 503, "service_unavailable_error", "server_is_overloaded"),
        (.backend(.unreachable), 502, "upstream_error", "upstream_unavailable"),
        (.backend(.malformed), 502, "upstream_error", "upstream_unavailable"),
        (.backend(.timedOut), 504, "upstream_error", "upstream_timeout"),
        (
            .backend(.notReady(retryAfter: .seconds(2))), 503, "service_unavailable_error",
            "model_loading"
        ),
        (
            .backend(.rateLimited(retryAfter: nil)), 503, "service_unavailable_error",
            "server_is_overloaded"
        ),
        (
            .backend(.busy(retryAfter: .seconds(2))), 503, "service_unavailable_error",
            "server_is_overloaded"
        ),
        (
            .backend(.contextExceeded(promptTokens: 9, contextTokens: 8)), 400,
            "invalid_request_error", "context_length_exceeded"
        ),
        (.backend(.invalidRequest), 400, "invalid_request_error", nil),
    ]

    @Test(arguments: failures) func `every failure has its status, type and code`(
        _ failure: GatewayFailure, _ status: Int, _ type: String, _ code: String?
    ) {
        let answer = failure.answer(spread: 0)
        #expect(answer.status == status)
        #expect(answer.type == type)
        #expect(answer.code == code)
        let waits = answer.headers.contains { $0.name == "retry-after" }
        #expect(waits == (status == 503 || status == 429))
    }

    @Test(arguments: [1, 999, 1000, 1001, 60_000, 119_999] as [Int64], [0, 7, UInt64.max])
    func `the retry headers are never shorter than the wait`(
        _ milliseconds: Int64, _ spread: UInt64
    ) throws {
        let answer = ErrorAnswer.invalid(429, "").retry(
            after: .milliseconds(milliseconds), spread: spread)
        let seconds = try #require(Int64(answer.headers[0].value))
        let exact = try #require(Int64(answer.headers[1].value))
        #expect(exact >= milliseconds && exact <= milliseconds + milliseconds / 10)
        #expect(seconds * 1000 >= exact && seconds >= 1)
    }
}

@Suite struct DenialAnswers {
    private func denial(
        _ reason: Denial.Reason, resource: Resource = .tokens, period: Period? = .day,
        retryAfter: Duration? = nil
    ) -> Denial {
        Denial(
            reason: reason, subject: Subject(kind: .team, id: 7), resource: resource,
            period: period,
            limit: 2000, used: 1500, reserved: 100, requested: 600, retryAfter: retryAfter,
            resetsAt: period.flatMap { $0.end(of: CalendarDay(year: 2026, month: 11, day: 21)) })
    }

    private func headers(_ answer: ErrorAnswer) -> [String: String] {
        Dictionary(answer.headers.map { ($0.name, $0.value) }) { _, later in later }
    }

    @Test func `a spent quota says whose it is, what is left and when it resets`() {
        let answer = denial(.quotaExhausted, retryAfter: .seconds(7200)).answer(
            largestCompletion: nil, spread: 0)
        #expect(answer.status == 429)
        #expect(answer.type == "insufficient_quota")
        #expect(answer.code == "insufficient_quota")
        #expect(
            answer.message
                == "The team's quota of 2000 tokens per day has no room left for this request: 1500 tokens used, 100 tokens reserved, 600 tokens requested. It resets at 2026-11-22T00:00:00Z."
        )
        #expect(headers(answer) == ["x-should-retry": "false"])
    }

    @Test func `a limit of one model names it, and one of all models names none`() {
        func message(_ reason: Denial.Reason, _ period: Period?, of model: String?) -> String {
            Denial(
                reason: reason, subject: Subject(kind: .team, id: model == nil ? 7 : -7),
                resource: .tokens, period: period, limit: 2000, used: 1500, reserved: nil,
                requested: 600, retryAfter: .seconds(1), resetsAt: nil
            ).of("gpt-4o").answer(largestCompletion: nil, spread: 0).message
        }
        #expect(
            message(.quotaExhausted, .day, of: "gpt-4o").hasPrefix(
                "The team's quota of 2000 tokens per day for model 'gpt-4o' has no room left"))
        #expect(
            message(.rateLimited(.tokensPerMinute), nil, of: "gpt-4o")
                == "The team's rate limit tokens_per_minute of 2000 for model 'gpt-4o' is reached:"
                + " 1500 used, 600 requested.")
        #expect(
            message(.exceedsLimit, nil, of: "gpt-4o").hasPrefix(
                "This request alone is larger than the team's limit of 2000 tokens per minute for"
                    + " model 'gpt-4o':"))
        #expect(!message(.quotaExhausted, .day, of: nil).contains("gpt-4o"))
    }

    @Test func `a quota that resets soon says when to come back`() {
        let answer = denial(.quotaExhausted, retryAfter: .seconds(90)).answer(
            largestCompletion: nil, spread: 0)
        #expect(
            headers(answer)
                == ["retry-after": "90", "retry-after-ms": "90000", "x-should-retry": "true"])
    }

    @Test func `a quota held by others may be tried again at once`() {
        let answer = denial(.quotaReserved).answer(largestCompletion: nil, spread: 0)
        #expect(answer.status == 429)
        #expect(answer.type == "tokens")
        #expect(answer.code == "budget_reserved")
        #expect(
            headers(answer)
                == ["retry-after": "1", "retry-after-ms": "1000", "x-should-retry": "true"])
    }

    @Test func `a key that holds its share of a quota is told the share, and may try again`() {
        let answer = denial(.keyShareReserved(most: 1000)).answer(
            largestCompletion: nil, spread: 0)
        #expect(answer.status == 429)
        #expect(answer.code == "budget_reserved")
        #expect(
            answer.message
                == "Running requests of one key may hold 1000 tokens of the team's quota of 2000 tokens per day at a time: 100 tokens reserved, 600 tokens requested."
        )
        #expect(
            headers(answer)
                == ["retry-after": "1", "retry-after-ms": "1000", "x-should-retry": "true"])
    }

    @Test func `a request larger than a key's share is told what would pass`() {
        let answer = denial(.exceedsKeyShare(most: 500)).answer(largestCompletion: 400, spread: 0)
        #expect(answer.status == 400)
        #expect(answer.code == "max_tokens_exceed_budget")
        #expect(
            answer.message
                == "This request alone is larger than the 500 tokens that one key may hold at a time of the team's quota of 2000 tokens per day: it may need 600 tokens. The largest 'max_tokens' that fits these messages is 400."
        )
    }

    @Test(arguments: [
        (RateLimit.Dimension.requestsPerMinute, Resource.requests, "requests"),
        (.tokensPerMinute, .tokens, "tokens"), (.concurrentRequests, .requests, "requests"),
    ])
    func `a rate limit names its kind`(
        _ dimension: RateLimit.Dimension, _ resource: Resource, _ type: String
    ) {
        let answer = denial(
            .rateLimited(dimension), resource: resource, period: nil,
            retryAfter: .milliseconds(1500)
        ).answer(largestCompletion: nil, spread: 0)
        #expect(answer.status == 429)
        #expect(answer.type == type)
        #expect(answer.code == "rate_limit_exceeded")
        #expect(headers(answer) == ["retry-after": "2", "retry-after-ms": "1500"])
    }

    @Test func `a request that can never pass is told what would`() {
        let answer = denial(.exceedsLimit).answer(largestCompletion: 1900, spread: 0)
        #expect(answer.status == 400)
        #expect(answer.code == "max_tokens_exceed_budget")
        #expect(answer.message.contains("'max_tokens' that fits these messages is 1900."))
    }
}

@Suite struct RateLimitDurations {
    @Test(
        arguments: [
            (0, "0s"), (1, "1ms"), (999, "1ms"), (120_000, "120ms"), (1_000_000, "1s"),
            (1_500_000, "1.5s"),
            (1_010_000, "1.01s"), (59_999_001, "1m0s"), (60_000_000, "1m0s"), (60_000_001, "1m1s"),
            (360_000_000, "6m0s"), (3_600_000_000, "1h0m0s"), (86_399_000_000, "23h59m59s"),
        ] as [(Int64, String)])
    func `a reset reads like Go's durations and is never too short`(
        _ microseconds: Int64, _ text: String
    ) {
        #expect(RateLimitHeaders.text(of: .microseconds(microseconds)) == text)
    }
}

@Suite struct EventWriting {
    private let identity = CompletionIdentity(
        RequestID(rawValue: 1), createdAt: Timestamp(microseconds: 5_000_000), model: "m\"",
        backend: "b")

    @Test func `text cannot leave its line`() throws {
        var writer = ServerSentEventWriter(identity, in: AnswerStyle())
        writer.append(ChoiceDelta(index: 0, content: "a\r\n\ndata: [DONE]\u{2028}\u{0}"))
        let text = String(buffer: writer.take())
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 5)
        #expect(!text.contains("\r") && !text.contains("\u{2028}"))
        for line in [lines[0], lines[2]] {
            let json = try JSONParser(maximumBytes: 4096, maximumDepth: 8, maximumNodes: 99).parse(
                String(line.dropFirst(6)))
            #expect(json["id"]?.string == "chatcmpl-00000000000000000000000000000001")
            #expect(json["model"]?.string == "m\"")
            #expect(json["created"]?.integer == 5)
        }
    }

    @Test func `with usage shown every chunk says null and one says it all`() {
        var style = AnswerStyle()
        style.showsUsage = true
        var writer = ServerSentEventWriter(identity, in: style)
        writer.append(ChoiceDelta(index: 0, content: "x"))
        writer.append(ChoiceDelta(index: 0, finishReason: .length))
        writer.finish(
            usage: TokenUsage(prompt: 1, completion: 2), .none,
            AnswerTimings(queue: .zero, firstToken: nil, total: .zero))
        let text = String(buffer: writer.take())
        #expect(text.components(of: #""usage":null"#) == 3)
        #expect(text.components(of: #""choices":[],"usage":{"prompt_tokens":1"#) == 1)
        #expect(text.components(of: #""delta":{},"finish_reason":"length""#) == 1)
        #expect(text.hasSuffix("data: [DONE]\n\n"))
    }
}

@Suite struct AccessLogLines {
    @Test func `control characters cannot forge a line`() {
        #expect(
            AccessLog.escaped("a\n2026 error\u{1b}[31m\u{85}\u{2028}")
                == "a\\u{a}2026 error\\u{1b}[31m\\u{85}\\u{2028}")
        #expect(AccessLog.escaped("/v1/models/modèle") == "/v1/models/modèle")
    }
}
