import Domain
import Testing

@testable import Gateway

/// Every status of the contract's table of errors, as a client gets it over a connection.
///
/// 499 is for the log only, and an end-to-end test reads it there. There is no 500: what would be
/// one is a state that no input can reach, and stops the program. There is no 501: what a backend
/// cannot do is refused before it is asked, with 400 and the parameter's name.
@Suite struct StatusTable {
    /// A request, and what is around it.
    struct Row: Sendable, CustomTestStringConvertible {
        let status: Int
        /// `"type":…,"param":…,"code":…` of the answer.
        let error: String
        var request = RunningGateway.post(RunningGateway.plain, "Connection: close\r\n")
        var failure: BackendFailure.Kind?
        var denial: Denial.Reason?
        var fault: LedgerFault?
        var testDescription: String { "\(status) \(error)" }
    }

    private static func post(_ members: String, model: String = "tiny") -> String {
        RunningGateway.post(
            #"{"model":"\#(model)","messages":"mail to ann@example.org"\#(members)}"#,
            "Connection: close\r\n")
    }

    private static func invalid(_ parameter: String?, _ code: String?) -> String {
        func text(_ word: String?) -> String { word.map { "\"\($0)\"" } ?? "null" }
        return #""type":"invalid_request_error","param":\#(text(parameter)),"code":\#(text(code))"#
    }

    private static func head(_ line: String, _ headers: String = "") -> String {
        "\(line) HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\(headers)\r\n"
    }

    private static let bearer = "Authorization: Bearer \(OneKey.secret)\r\n"

    private static let requests: [Row] = [
        Row(
            status: 400, error: invalid("top_p", "decimal_above_max_value"),
            request: post(#","top_p":2"#)),
        Row(
            status: 400, error: invalid("messages", "pii_detected"),
            request: post(#","input":{"pii":"block"}"#)),
        Row(
            status: 401, error: invalid(nil, nil), request: head("GET /v1/models")),
        Row(
            status: 401, error: invalid(nil, "invalid_api_key"),
            request: head("GET /v1/models", "Authorization: Bearer other\r\n")),
        Row(
            status: 403,
            error: #""type":"permission_error","param":"model","code":"model_not_allowed""#,
            request: post("", model: "secret")),
        Row(
            status: 404, error: invalid("model", "model_not_found"),
            request: post("", model: "nobody")),
        Row(status: 404, error: invalid(nil, nil), request: head("GET /nothing")),
        Row(status: 405, error: invalid(nil, nil), request: head("PUT /v1/models", bearer)),
        Row(
            status: 408, error: #""type":"timeout_error","param":null,"code":"request_timeout""#,
            request: "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\n\(bearer)"
                + "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"),
        Row(
            status: 410, error: invalid("model", "model_deprecated"),
            request: post("", model: "old")),
        Row(
            status: 413, error: invalid(nil, nil),
            request: head("POST /v1/chat/completions", "\(bearer)Content-Length: 5000000\r\n")),
        Row(
            status: 415, error: invalid(nil, nil),
            request: head(
                "POST /v1/chat/completions",
                "\(bearer)Content-Type: text/plain\r\nContent-Length: 0\r\n")),
    ]

    private static let others: [Row] = [
        Row(
            status: 429, error: #""type":"requests","param":null,"code":"rate_limit_exceeded""#,
            denial: .rateLimited(.requestsPerMinute)),
        Row(
            status: 429, error: #""type":"tokens","param":null,"code":"rate_limit_exceeded""#,
            denial: .rateLimited(.tokensPerMinute)),
        Row(
            status: 429,
            error: #""type":"insufficient_quota","param":null,"code":"insufficient_quota""#,
            denial: .quotaExhausted),
        Row(
            status: 400, error: invalid("messages", "context_length_exceeded"),
            failure: .contextExceeded(promptTokens: 2000, contextTokens: 1024)),
        Row(status: 400, error: invalid(nil, nil), failure: .invalidRequest),
        Row(
            status: 502,
            error: #""type":"upstream_error","param":null,"code":"upstream_unavailable""#,
            failure: .unreachable),
        Row(
            status: 503,
            error: #""type":"service_unavailable_error","param":null,"code":"model_loading""#,
            failure: .notReady(retryAfter: .seconds(1))),
        Row(
            status: 503,
            error:
                #""type":"service_unavailable_error","param":null,"code":"server_is_overloaded""#,
            failure: .rateLimited(retryAfter: nil)),
        Row(
            status: 503,
            error: #""type":"api_error","param":null,"code":"metering_unavailable""#,
            fault: .unavailable),
        Row(
            status: 504, error: #""type":"upstream_error","param":null,"code":"upstream_timeout""#,
            failure: .timedOut),
    ]

    private static func route(_ alias: String) -> ModelRoute {
        var route = ModelRoute(
            alias: alias, backends: ["local"], upstreamModel: "m", contextTokens: 1024,
            maximumCompletionTokens: 512, imageTokens: nil, price: nil)
        route.isRetired = alias == "old"
        return route
    }

    private static let principal = Principal(
        shard: Shard(rawValue: 0), organization: .default, team: TeamID(rawValue: 7),
        key: KeyID(rawValue: 42), keySubject: 42, allowedModels: ["tiny", "old", "nobody"],
        defaultCompletionTokens: nil, alwaysShowsUsage: false, quotas: [], rateLimits: [])

    @Test(arguments: requests + others)
    func `it is answered with its status, type, parameter and code`(_ row: Row) async throws {
        let ledger = HeldLedger()
        ledger.answer {
            $0.admitFault = row.fault
            $0.denial = row.denial.map {
                Denial(
                    reason: $0, subject: Subject(kind: .key, id: 42),
                    resource: $0 == .rateLimited(.requestsPerMinute) ? .requests : .tokens,
                    period: .day, limit: 2000, used: 1990, reserved: 0, requested: 94,
                    retryAfter: .seconds(5), resetsAt: nil)
            }
        }
        let backend = ScriptedBackend(
            row.failure.map { .failure(BackendFailure(kind: $0, detail: "")) } ?? .text(["x"], nil))
        try await withGateway(
            ledger: ledger, backend: backend, principal: Self.principal,
            routes: ["tiny", "secret", "old"].map(Self.route),
            { $0.connection.bodyGrace = .milliseconds(50) }
        ) { gateway in
            let answer = try await gateway.exchange(row.request)
            #expect(answer.hasPrefix("HTTP/1.1 \(row.status) "), "\(answer)")
            #expect(answer.contains(row.error), "\(answer)")
            #expect(answer.contains(#""request_id":"req_"#))
            // A model that is no longer served is in nobody's list.
            let list = try await gateway.exchange(Self.head("GET /v1/models", Self.bearer))
            #expect(list.contains(#""id":"tiny""#) && !list.contains(#""id":"old""#))
        }
    }

    @Test func `a model that is no longer served is 410 by its own path, too`() async throws {
        try await withGateway(
            backend: ScriptedBackend(.text(["x"], nil)), routes: [Self.route("old")]
        ) { gateway in
            let answer = try await gateway.exchange(Self.head("GET /v1/models/old", Self.bearer))
            #expect(answer.hasPrefix("HTTP/1.1 410 "), "\(answer)")
            #expect(gateway.ledger.admissions.elements.isEmpty)
        }
    }

    @Test func `every status of the table has its row`() {
        let wanted: Set = [
            400, 401, 403, 404, 405, 408, 410, 413, 415, 429, 502, 503, 504,
        ]
        #expect(Set((Self.requests + Self.others).map(\.status)) == wanted)
    }
}
