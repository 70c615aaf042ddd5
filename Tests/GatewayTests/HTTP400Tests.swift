import Domain
import Testing

@testable import Gateway

/// Mistakes of a client: each has its documented answer, reserves nothing, and the gateway goes on.
@Suite struct ClientMistakes {
    private static let key = "Authorization: Bearer \(OneKey.secret)\r\n"
    private static let json = "Content-Type: application/json\r\n"

    private func check(
        _ request: String, _ status: Int, _ parts: String...,
        adjust: (inout GatewayConfiguration) -> Void = { _ in }
    ) async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil)), adjust) { gateway in
            let answer = try await gateway.exchange(request)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            #expect(answer.header("x-request-id")?.hasPrefix("req_") == true)
            for key in ["\"message\":", "\"type\":", "\"param\":", "\"code\":", "\"request_id\":"] {
                #expect(answer.contains(key))
            }
            for part in parts { #expect(answer.contains(part), "\(answer)") }
            #expect(gateway.ledger.admissions.elements.isEmpty)
            #expect(gateway.backend.calls.elements.isEmpty)
            let next = try await gateway.post(RunningGateway.plain)
            #expect(next.hasPrefix("HTTP/1.1 200"))
        }
    }

    private func post(_ headers: String, _ body: String = RunningGateway.plain) -> String {
        "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func `no key is 401 with a null code`() async throws {
        try await check(post(Self.json), 401, #""code":null"#, "www-authenticate: Bearer")
    }

    @Test(arguments: [
        "Bearer sk-wrong", "Basic dXNlcjpwYXNz", "Bearer \(String(repeating: "x", count: 200))",
        "sk-test-0123456789", "Bearer sk-test-0123456789x",
    ])
    func `a wrong key is 401`(_ value: String) async throws {
        try await check(
            post("Authorization: \(value)\r\n" + Self.json), 401, #""code":"invalid_api_key""#,
            "www-authenticate: Bearer")
    }

    @Test func `a second Authorization header is refused`() async throws {
        try await check(
            post(Self.key + "authorization: Bearer other\r\n" + Self.json), 400,
            #""code":"duplicate_header""#)
    }

    @Test(arguments: [
        (#""max_tokens":99999999999999999999"#, "max_tokens", "integer_above_max_value"),
        (#""seed":-99999999999999999999"#, "seed", "integer_below_min_value"),
        (#""max_tokens":1e999"#, "max_tokens", "integer_above_max_value"),
        (#""temperature":99999999999999999999"#, "temperature", "decimal_above_max_value"),
        (#""top_p":-1e999"#, "top_p", "decimal_below_min_value"),
    ])
    func `a number beyond all numbers is told by its parameter`(
        _ member: String, _ parameter: String, _ code: String
    ) async throws {
        try await check(
            post(Self.key + Self.json, #"{"model":"tiny","messages":"x",\#(member)}"#), 400,
            #""param":"\#(parameter)","code":"\#(code)""#)
    }

    @Test(arguments: ["anything", #"\u00b7x"#])
    func `a number beyond all numbers is not told by a name that nobody knows`(_ name: String)
        async throws
    {
        try await check(
            post(
                Self.key + Self.json,
                #"{"model":"tiny","messages":"x","\#(name)":-9e999}"#), 400,
            #""param":null,"code":null"#)
    }

    @Test(arguments: [
        "{", "", "[]", "5", #"{"model":"tiny","messages":"x"} x"#,
        #"{"model":"tiny","model":"tiny"}"#,
        "\u{FEFF}{", #"{"a":1e999}"#,
    ])
    func `a body that is not a JSON object is 400`(_ body: String) async throws {
        try await check(post(Self.key + Self.json, body), 400, #""type":"invalid_request_error""#)
    }

    @Test func `ten thousand nested arrays are 400`() async throws {
        let deep = String(repeating: "[", count: 10_000)
        try await check(
            post(Self.key + Self.json, #"{"model":"tiny","messages":\#(deep)"#), 400, "64 levels")
    }

    @Test func `a wrong type names the parameter and its code`() async throws {
        try await check(
            post(
                Self.key + Self.json, #"{"model":"tiny","messages":[{"role":"x","content":"y"}]}"#),
            400,
            #""param":"messages[0].role","code":"invalid_value""#)
    }

    @Test func `an absurd bound is 400`() async throws {
        try await check(
            post(
                Self.key + Self.json, #"{"model":"tiny","messages":"x","max_tokens":99999999999}"#),
            400,
            #""param":"max_tokens","code":"integer_above_max_value""#)
    }

    @Test func `an unknown model is 404`() async throws {
        try await check(
            post(Self.key + Self.json, #"{"model":"none","messages":"x"}"#), 404,
            #""param":"model","code":"model_not_found""#)
    }

    @Test func `an unknown path is 404 before any key is looked at`() async throws {
        try await check("GET /v1/secrets HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", 404)
    }

    @Test func `a wrong method is 405 and told the right one`() async throws {
        try await check(
            "GET /chat/completions HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", 405,
            "allow: POST\r\n")
    }

    @Test(arguments: [
        "Content-Type: text/plain\r\n", "",
        "Content-Type: application/json\r\nContent-Type: text/plain\r\n",
        "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
    ])
    func `another media type or coding is 415`(_ headers: String) async throws {
        try await check(post(Self.key + headers), 415)
    }

    @Test func `a body of five megabytes is 413 before it is read`() async throws {
        try await check(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\n\(Self.key)\(Self.json)Content-Length: 5242880\r\n\r\n",
            413, "connection: close")
    }

    @Test func `a body of five megabytes in chunks is 413`() async throws {
        let chunk = "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n"
        try await check(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\n\(Self.key)\(Self.json)Transfer-Encoding: chunked\r\n\r\n"
                + String(repeating: chunk, count: 80), 413, "connection: close")
    }

    @Test func `a body that never ends is 408`() async throws {
        try await check(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\n\(Self.key)\(Self.json)Content-Length: 100\r\n\r\n{",
            408, #""type":"timeout_error""#, #""code":"request_timeout""#
        ) { $0.connection.bodyGrace = .milliseconds(50) }
    }

    @Test func `a head that never ends is 408`() async throws {
        try await check("POST /v1/chat/completions HTTP/1.1\r\nHost:", 408) {
            $0.connection.headerTime = .milliseconds(50)
        }
    }

    @Test(arguments: [
        "GET /models HTTP/1.1\r\nHost: t\r\nX-A: a\rb\r\n\r\n",
        "GET /models HTTP/1.1\r\nHost: t\r\nX-A: a\r\n folded\r\n\r\n",
        "GET /models HTTP/1.1\r\nHost: t\r\nX-A : a\r\n\r\n",
        "GET /models HTTP/1.1\nHost: t\n\n",
        "NONSENSE\r\n\r\n",
        "GET /mod els HTTP/1.1\r\nHost: t\r\n\r\n",
        "POST /models HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /models HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "POST /models HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "POST /models HTTP/1.1\r\nHost: t\r\nContent-Length: +1\r\n\r\nx",
        "POST /models HTTP/1.1\r\nHost: t\r\nContent-Length: 0x1\r\n\r\nx",
        "POST /models HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /models HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /models HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
        "GET /models HTTP/1.1\r\nHost: t\r\nX-A: a\u{0}b\r\n\r\n",
    ])
    func `what two servers may read differently is 400 and the end`(_ request: String) async throws
    {
        try await check(request, 400, "connection: close")
    }

    @Test(arguments: [
        "X-A: \(String(repeating: "a", count: 9000))\r\n",
        String(repeating: "X-A: \(String(repeating: "a", count: 1000))\r\n", count: 20),
        String(repeating: "X-A: a\r\n", count: 101),
    ])
    func `headers beyond the limits are 431`(_ headers: String) async throws {
        try await check("GET /v1/models HTTP/1.1\r\nHost: t\r\n\(headers)\r\n", 431)
    }

    @Test func `a line beyond the limit is 431`() async throws {
        let path = String(repeating: "a", count: 9000)
        try await check("GET /\(path) HTTP/1.1\r\nHost: t\r\n\r\n", 431)
    }
}
