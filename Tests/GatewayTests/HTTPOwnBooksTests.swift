import Domain
import Synchronization
import Testing

@testable import Gateway

/// `GET /v1/usage` and `GET /v1/quota` as a key's holder gets them.
@Suite struct HTTPOwnBooks {
    private static let day = CalendarDay(year: 2026, month: 11, day: 21)

    private static let sums = {
        var sums = UsageSums()
        sums.requests = 3
        sums.failedRequests = 1
        sums.promptTokens = 50
        sums.cachedTokens = 20
        sums.cacheWriteTokens = 5
        sums.completionTokens = 30
        sums.reasoningTokens = 10
        sums.chargedTokens = 80
        sums.costNanoUSD = 2_500_000_001
        return sums
    }()

    private static func group(_ grouping: OwnUsageQuestion.Grouping) -> OwnUsageRow.Group {
        switch grouping {
        case .hour: .hour(day.start + .seconds(8 * 3600))
        case .day: .day(day)
        case .month: .month(day.firstOfMonth)
        case .model: .model("tiny")
        }
    }

    /// A report with everything there can be.
    static func report(by grouping: OwnUsageQuestion.Grouping) -> [UInt8] {
        UsageEndpoint.answer(
            OwnUsageQuestion(since: day.start, until: day.next.start, grouping: grouping),
            [OwnUsageRow(group: group(grouping), sums: sums)], to: KeyID(rawValue: 42))
    }

    private static func get(_ path: String, secret: String = OneKey.secret) -> String {
        "GET \(path) HTTP/1.1\r\nHost: t\r\nConnection: close\r\n"
            + "Authorization: Bearer \(secret)\r\n\r\n"
    }

    private func body(_ answer: String) -> String {
        answer.firstRange(of: "\r\n\r\n").map { String(answer[$0.upperBound...]) } ?? ""
    }

    @Test func `a key gets what it used, with every class of token, and its totals`() async throws {
        let books = ScriptedBooks([OwnUsageRow(group: .day(Self.day), sums: Self.sums)])
        try await withGateway(books: books, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let answer = try await gateway.exchange(
                Self.get("/v1/usage?since=2026-11-21&until=2026-11-22&by=day&other=1"))
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            #expect(answer.header("content-type") == "application/json")
            #expect(answer.header("x-ratelimit-limit-tokens") != nil)
            let sums =
                #""requests":3,"failed_requests":1,"prompt_tokens":50,"cached_tokens":20,"#
                + #""cache_write_tokens":5,"completion_tokens":30,"reasoning_tokens":10,"#
                + #""total_tokens":80,"charged_tokens":80,"cost_usd":"2.500000001""#
            #expect(
                body(answer) == #"{"object":"usage","key_id":"0000000000g","#
                    + #""since":"2026-11-21T00:00:00Z","until":"2026-11-22T00:00:00Z","by":"day","#
                    + #""total":{\#(sums)},"data":[{"day":"2026-11-21",\#(sums)}]}"#)
        }
        let state = books.state.withLock { $0 }
        #expect(
            state.questions == [
                OwnUsageQuestion(
                    since: Self.day.start, until: Self.day.next.start, grouping: .day)
            ])
        // Asked for the key that was shown, whatever the query names.
        #expect(state.askers == [.tester])
    }

    @Test func `the numbers of a shared quota are its limit and what is left, and no more`()
        async throws
    {
        let books = ScriptedBooks()
        func line(
            _ kind: Subject.Kind, _ period: Period, _ model: String? = nil
        ) -> OwnQuotas.Line {
            OwnQuotas.Line(
                quota: Quota(
                    subject: Subject(kind: kind, id: 9), resource: .tokens, period: period,
                    limit: 1000, model: model), used: 700, reserved: 100,
                resetsAt: period.end(of: Self.day))
        }
        books.state.withLock {
            $0.quotas = OwnQuotas(
                asOf: Self.day.start, lines: [line(.team, .day, "tiny"), line(.key, .total)])
        }
        try await withGateway(books: books, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let answer = try await gateway.exchange(Self.get("/v1/quota"))
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            #expect(
                body(answer) == #"{"object":"quota","key_id":"0000000000g","#
                    + #""as_of":"2026-11-21T00:00:00Z","quotas":["#
                    + #"{"subject":"team","model":"tiny","resource":"tokens","unit":"tokens","#
                    + #""period":"day","#
                    + #""limit":1000,"soft":false,"left":200,"resets_at":"2026-11-22T00:00:00Z"},"#
                    + #"{"subject":"key","model":null,"resource":"tokens","unit":"tokens","#
                    + #""period":"total","#
                    + #""limit":1000,"soft":false,"used":700,"reserved":100,"left":200,"resets_at":null}],"#
                    + #""rate_limits":[]}"#)
        }
    }

    @Test(arguments: [
        ("since=yesterday", "since"), ("until=2026-02-30", "until"), ("by=week", "by"),
        ("by=", "by"), ("by", "by"), ("since=2026-11-02&until=2026-11-01", "since"),
        ("since=2026-11-01&until=2026-11-01", "since"),
        ("since=2026-01-01&until=2026-11-01", "since"),
        ("by=hour&since=2026-10-01&until=2026-11-02", "since"), ("by=day&by=hour", "by"),
        ("since=2026-11-01T25:00Z", "since"), ("since=2026-11-01T08:00%2B01:00", "since"),
        ("since=99999-01-01", "since"), ("since=-001-01-01", "since"),
    ])
    func `a query that is wrong is refused by name, and asks nothing`(
        _ query: String, _ parameter: String
    ) async throws {
        let books = ScriptedBooks()
        try await withGateway(books: books, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let answer = try await gateway.exchange(Self.get("/v1/usage?\(query)"))
            #expect(answer.hasPrefix("HTTP/1.1 400 "))
            #expect(
                answer.contains(#""param":"\#(parameter)","code":"invalid_value""#), "\(answer)")
        }
        #expect(books.state.withLock { $0.askers }.isEmpty)
    }

    @Test(arguments: ["/v1/usage", "/v1/quota"])
    func `books that cannot be read are a plain 503, and reading too often is a 429`(
        _ path: String
    ) async throws {
        let books = ScriptedBooks(fault: .unavailable)
        try await withGateway(books: books, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let away = try await gateway.exchange(Self.get(path))
            #expect(away.hasPrefix("HTTP/1.1 503 "))
            #expect(away.contains(#""type":"api_error","param":null,"code":"usage_unavailable""#))
            #expect(away.header("retry-after") != nil)
            books.state.withLock { $0.fault = .throttled(retryAfter: .seconds(1)) }
            let often = try await gateway.exchange(Self.get(path))
            #expect(often.hasPrefix("HTTP/1.1 429 "))
            #expect(often.contains(#""type":"requests","param":null,"code":"rate_limit_exceeded""#))
            // Neither touches what answers completions.
            let completion = try await gateway.post(RunningGateway.plain)
            #expect(completion.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test(arguments: ["/v1/usage", "/v1/quota"])
    func `without a key, or with a wrong one, nothing is read`(_ path: String) async throws {
        let books = ScriptedBooks()
        try await withGateway(books: books, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let missing = try await gateway.exchange(
                "GET \(path) HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            #expect(missing.hasPrefix("HTTP/1.1 401 "))
            let wrong = try await gateway.exchange(Self.get(path, secret: "sk-test-9999999999"))
            #expect(wrong.hasPrefix("HTTP/1.1 401 "))
            let posted = try await gateway.exchange(
                "POST \(path) HTTP/1.1\r\nHost: t\r\nConnection: close\r\n"
                    + "Content-Length: 0\r\n\r\n")
            #expect(posted.hasPrefix("HTTP/1.1 405 ") && posted.header("allow") == "GET")
        }
        #expect(books.state.withLock { $0.askers }.isEmpty)
    }

    @Test func `a report without a query is of today and the 29 days before, by hour of today`()
        throws
    {
        let now = Self.day.start + .seconds(8 * 3600 + 1)
        let usual = try UsageQuestionReader.read("/v1/usage", at: now)
        #expect(usual.since == Self.day.start + .seconds(-29 * 86_400))
        #expect(usual.until == Self.day.start + .seconds(9 * 3600) && usual.grouping == .day)
        let hours = try UsageQuestionReader.read("/v1/usage?by=hour", at: now)
        #expect(hours.since == Self.day.start && hours.until == usual.until)
        // At midnight the day that ended is reported, and not an empty one.
        let midnight = try UsageQuestionReader.read("/v1/usage?by=hour", at: Self.day.start)
        #expect(midnight.since == Self.day.start + .seconds(-86_400))
        // A time within an hour counts the whole hour, at both ends.
        let within = try UsageQuestionReader.read(
            "/v1/usage?since=2026-11-20T08:30Z&until=2026-11-20T09:00:01Z", at: now)
        #expect(within.since.iso8601 == "2026-11-20T08:00:00Z")
        #expect(within.until.iso8601 == "2026-11-20T10:00:00Z")
    }
}
