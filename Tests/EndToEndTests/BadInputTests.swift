import Foundation
import TestSupport
import Testing

/// A request that must be refused, and how.
struct BadRequest: Sendable, CustomTestStringConvertible {
    let what: String
    let status: Int
    var code: String?
    var parameter: String?
    var method = "POST"
    var path = "/v1/chat/completions"
    var headers = ["Content-Type: application/json"]
    let body: String

    var testDescription: String { what }

    /// One whose body has a wrong or unknown parameter.
    static func parameter(
        _ more: String, _ parameter: String, _ code: String
    ) -> BadRequest {
        BadRequest(
            what: more, status: 400, code: code, parameter: parameter,
            body: ServedGateway.prompt("Hi", more: "," + more))
    }

    private static let good = ServedGateway.prompt("Hi")
    private static let deep =
        #"{"model":"scripted","messages":"# + String(repeating: "[", count: 10_000)
        + String(repeating: "]", count: 10_000) + "}"

    /// What the contract names.
    static let all: [BadRequest] =
        [
            BadRequest(what: "no JSON", status: 400, body: "{\"model\":"),
            BadRequest(what: "no object", status: 400, code: "invalid_type", body: "[1]"),
            BadRequest(what: "no UTF-8 escape", status: 400, body: #"{"model":"\ud800"}"#),
            BadRequest(what: "10,000 levels", status: 400, body: deep),
            BadRequest(
                what: "no model", status: 400, code: "missing_required_parameter",
                parameter: "model", body: #"{"messages":[{"role":"user","content":"Hi"}]}"#),
            BadRequest(
                what: "no messages", status: 400, code: "missing_required_parameter",
                parameter: "messages", body: #"{"model":"scripted"}"#),
            BadRequest(
                what: "empty messages", status: 400, code: "empty_array", parameter: "messages",
                body: #"{"model":"scripted","messages":[]}"#),
            BadRequest(
                what: "a bad role", status: 400, code: "invalid_value",
                parameter: "messages[0].role",
                body: #"{"model":"scripted","messages":[{"role":"king","content":"Hi"}]}"#),
            BadRequest(
                what: "an unknown model", status: 404, code: "model_not_found", parameter: "model",
                body: ServedGateway.prompt("Hi", model: "nobody")),
            BadRequest(
                what: "a retired model", status: 410, code: "model_deprecated", parameter: "model",
                body: ServedGateway.prompt("Hi", model: "old")),
            BadRequest(what: "an unknown path", status: 404, path: "/v1/nothing", body: good),
            BadRequest(
                what: "a wrong method", status: 405, method: "PUT", body: good),
            BadRequest(
                what: "a wrong type", status: 415, headers: ["Content-Type: text/plain"], body: good
            ),
            BadRequest(
                what: "two Authorization headers", status: 400, code: "duplicate_header",
                headers: ["Content-Type: application/json", "Authorization: Bearer other"],
                body: good),
            BadRequest(
                what: "a CR in a header", status: 400,
                headers: ["Content-Type: application/json", "X-Note: a\rb"], body: good),
            BadRequest(
                what: "two lengths", status: 400,
                headers: ["Content-Type: application/json", "Content-Length: 5"], body: good),
        ] + parameters

    private static let parameters: [BadRequest] = [
        .parameter(#""max_tokens":-1"#, "max_tokens", "integer_below_min_value"),
        .parameter(#""max_tokens":0"#, "max_tokens", "integer_below_min_value"),
        .parameter(#""max_tokens":"9""#, "max_tokens", "invalid_type"),
        .parameter(#""max_tokens":1.5"#, "max_tokens", "invalid_type"),
        .parameter(#""max_tokens":[]"#, "max_tokens", "invalid_type"),
        .parameter(#""temperature":2.1"#, "temperature", "decimal_above_max_value"),
        .parameter(#""temperature":-0.1"#, "temperature", "decimal_below_min_value"),
        .parameter(#""top_k":0"#, "top_k", "integer_below_min_value"),
        .parameter(#""stream":"yes""#, "stream", "invalid_type"),
        .parameter(#""stop":["a","b","c","d","e"]"#, "stop", "array_above_max_length"),
        .parameter(#""top_logprobs":1"#, "top_logprobs", "invalid_value"),
        .parameter(#""n":129"#, "n", "integer_above_max_value"),
        .parameter(#""logit_bias":{"a":2}"#, "logit_bias", "invalid_value"),
        .parameter(
            #""response_format":{"type":"xml"}"#, "response_format.type", "invalid_value"),
        .parameter(
            #""tools":[{"type":"function","function":{"name":"f g"}}]"#, "tools[0].function.name",
            "invalid_value"),
        .parameter(#""tool_choice":"required""#, "tool_choice", "invalid_value"),
        .parameter(#""store":true"#, "store", "unsupported_parameter"),
        .parameter(
            #""prediction":{"type":"content","content":"x"}"#, "prediction",
            "unsupported_parameter"),
        .parameter(#""service_tier":"flex""#, "service_tier", "unsupported_parameter"),
    ]
}

extension EndToEnd {
    @Suite(.served) struct `Bad input` {
        @Test(.timeLimit(.minutes(1)))
        func `every bad request gets its documented error and reserves nothing`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                for bad in BadRequest.all {
                    let connection = try HTTPConnection(port: gateway.port)
                    connection.send(
                        bad.method, bad.path, key: key.secret, body: bad.body, headers: bad.headers)
                    let reply = try connection.reply()
                    #expect(reply.status == bad.status, "\(bad.what): \(reply.text)")
                    #expect(reply.isEnvelope, "\(bad.what): \(reply.text)")
                    #expect(reply.code == bad.code, "\(bad.what): \(reply.text)")
                    #expect(
                        reply.error["param"] as? String == bad.parameter,
                        "\(bad.what): \(reply.text)")
                    #expect(reply.header("x-request-id") == reply.json["request_id"] as? String)
                }
                try Self.expectNothingReserved(gateway, key)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `an absurd max_tokens is either refused by name or held to the model's most`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                for amount in ["1e309", "9223372036854775808", "1e999999", "-9223372036854775809"] {
                    let reply = try gateway.post(
                        key, ServedGateway.prompt("Hi", more: #","max_tokens":\#(amount)"#))
                    #expect(reply.status == 400 && reply.isEnvelope, "\(amount): \(reply.text)")
                }
                try Self.expectNothingReserved(gateway, key)
                let vast = try gateway.post(
                    key, ServedGateway.prompt("Vast", more: #","max_tokens":1000000000000"#))
                #expect(vast.status == 400 || vast.status == 200, "\(vast.text)")
                if vast.status == 200 {
                    let sent = try #require(gateway.upstream.requests.last).text
                    #expect(sent.contains(":512"), "\(sent)")
                }
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a body of 5 MB is refused before all of it is sent`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                for framing in ["Content-Length: 5242880", "Transfer-Encoding: chunked"] {
                    let connection = try HTTPConnection(port: gateway.port)
                    connection.send(
                        key: key.secret, body: "",
                        headers: ["Content-Type: application/json", framing])
                    let piece = String(repeating: " ", count: 65_536)
                    let isChunked = framing.hasSuffix("chunked")
                    if isChunked {
                        for _ in 0..<65 { connection.send("10000\r\n\(piece)\r\n") }
                    }
                    let reply = try connection.reply()
                    #expect(reply.status == 413 && reply.isEnvelope, "\(framing): \(reply.text)")
                    #expect(connection.isClosedByServer())
                }
                try Self.expectNothingReserved(gateway, key)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a body that never ends is refused, or forgotten with its client`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                let headers = ["Content-Type: application/json", "Content-Length: 1000"]
                let slow = try HTTPConnection(port: gateway.port)
                slow.send(key: key.secret, body: "", headers: headers)
                slow.send("{")
                let gone = try HTTPConnection(port: gateway.port)
                gone.send(key: key.secret, body: "", headers: headers)
                gone.send("{")
                gone.finishSending()
                let reply = try slow.reply()
                #expect(reply.status == 408 && reply.isEnvelope, "\(reply.text)")
                #expect(reply.code == "request_timeout")
                if let reply = try? gone.reply() { #expect(reply.status == 400) }
                #expect(gone.isClosedByServer())
                try Self.expectNothingReserved(gateway, key)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `two requests in one packet are answered in order`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey()
                let connection = try HTTPConnection(port: gateway.port)
                connection.send(key: key.secret, body: "{")
                connection.send(key: key.secret, body: ServedGateway.prompt("Hi"))
                #expect(try connection.reply().status == 400)
                #expect(try connection.reply().status == 200)
            }
        }

        /// Neither open nor settled is anything of the key's, and it can still be used.
        private static func expectNothingReserved(
            _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey
        ) throws {
            let of = "JOIN api_key k USING (shard, key_id) WHERE k.name = '\(key.name)'"
            #expect(try gateway.count("SELECT count(*) FROM reservation \(of)") == 0)
            #expect(try gateway.count("SELECT count(*) FROM usage \(of)") == 0)
            let account = try AccountSampler.account(gateway, key)
            #expect(account.used == 0 && account.reserved == 0)
            #expect(try gateway.post(key, ServedGateway.prompt("Hi")).status == 200)
        }
    }
}
