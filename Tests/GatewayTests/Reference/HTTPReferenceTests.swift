import Testing

@testable import Gateway

/// `/openapi.json` and `/docs` as a client gets them.
@Suite struct HTTPReference {
    private func get(
        _ path: String, of gateway: RunningGateway, _ more: String = ""
    ) async throws -> String {
        try await gateway.exchange(
            "GET \(path) HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\(more)\r\n")
    }

    @Test(arguments: [
        ("/openapi.json", "application/json"), ("/docs", "text/html; charset=utf-8"),
    ])
    func `the reference needs no key, and is not sent twice to who has it`(
        _ path: String, _ type: String
    ) async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let first = try await get(path, of: gateway)
            #expect(first.hasPrefix("HTTP/1.1 200 "))
            #expect(first.header("content-type") == type)
            #expect(first.header("cache-control") == "public, max-age=300")
            #expect(first.header("x-content-type-options") == "nosniff")
            #expect(first.header("x-ratelimit-limit-tokens") == nil)
            let etag = try #require(first.header("etag"))
            for known in [etag, "W/\(etag)", "\"other\", \(etag)", "*"] {
                let second = try await get(path, of: gateway, "If-None-Match: \(known)\r\n")
                #expect(second.hasPrefix("HTTP/1.1 304 "), "\(known)")
                #expect(second.hasSuffix("\r\n\r\n") && second.header("etag") == etag)
            }
            let other = try await get(path, of: gateway, "If-None-Match: \"other\"\r\n")
            #expect(other.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `the page has a policy that lets nothing in but its own style`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let policy = try #require(
                try await get("/docs", of: gateway).header("content-security-policy"))
            #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-"))
            #expect(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"))
        }
    }

    @Test func `what a gateway is set up with is in the reference only where a client needs it`()
        async throws
    {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) {
            $0.mostStops = 3
            $0.mostChoices = 7
            $0.connection.bodyBytes = 54_321
        } _: { gateway in
            let text = try await get("/openapi.json", of: gateway)
            #expect(text.contains(#""maxItems":3"#) && text.contains(#""maximum":7"#))
            #expect(text.contains("54321 bytes"))
            for secret in ["127.0.0.1", "tiny", OneKey.secret] { #expect(!text.contains(secret)) }
        }
    }

    @Test func `every header of an answer is described`() async throws {
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let described = Set(HeaderReference.all.map(\.name))
            // What HTTP itself says.
            let usual: Set<String> = [
                "content-type", "content-length", "connection", "transfer-encoding",
                "cache-control", "x-accel-buffering",
            ]
            let answers = [
                try await gateway.post(RunningGateway.plain),
                try await gateway.post(RunningGateway.streaming),
                try await gateway.post(#"{"model":"none","messages":"x"}"#),
                try await gateway.exchange(
                    "GET /v1/models HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"),
            ]
            for answer in answers {
                let head = answer.prefix(
                    upTo: try #require(answer.firstRange(of: "\r\n\r\n")).lowerBound)
                for line in head.split(separator: "\r\n").dropFirst() {
                    let name = String(line.prefix { $0 != ":" }).lowercased()
                    #expect(described.contains(name) || usual.contains(name), "\(line)")
                }
            }
        }
    }

    @Test func `every path of the reference is served, and by its method alone`() throws {
        for operation in testReference.operations {
            for path in operation.paths.map({ $0.replacing("{model}", with: "a/b") }) {
                _ = try Routes.find(operation.route.method, Substring(path))
                for method in ["GET", "POST", "PUT", "DELETE"]
                where method != operation.route.method {
                    #expect(
                        throws: GatewayFailure.methodNotAllowed(allowed: operation.route.method)
                    ) {
                        try Routes.find(method, Substring(path))
                    }
                }
            }
        }
        for path in ["/", "/docs/", "/openapi.jsonx", "/v1/models/", "/v1"] {
            #expect(throws: GatewayFailure.pathUnknown) { try Routes.find("GET", Substring(path)) }
        }
    }
}

/// The page for people.
@Suite struct ReferencePages {
    private let page = String(decoding: ReferencePage.write(testReference), as: UTF8.self)

    @Test func `it fetches nothing and runs nothing`() {
        for part in [
            "<script", "<link", "<img", "<iframe", " src=", "@import", "url(", " style=",
            "javascript:",
        ] {
            #expect(!page.contains(part), "\(part)")
        }
        let targets = page.matches(of: #/href="([^"]*)"/#).map { String($0.1) }
        #expect(targets.allSatisfy { $0.hasPrefix("#") || $0 == "/openapi.json" })
    }

    @Test func `every link within it leads somewhere, and to one place`() {
        let places = page.matches(of: #/id="([^"]*)"/#).map { String($0.1) }
        #expect(places.count == Set(places).count)
        let targets = Set(page.matches(of: #/href="#([^"]*)"/#).map { String($0.1) })
        #expect(targets.count > 20)
        #expect(targets.subtracting(places) == [])
    }

    @Test func `it tells every parameter, member, word, header and error`() {
        for name in ReferenceNames.of(testReference) {
            let isThere =
                page.contains(">\(name)<") || page.contains(".\(name)<")
                || page.contains(">&quot;\(name)&quot;<")
            #expect(isThere, "\(name)")
        }
        for header in HeaderReference.all { #expect(page.contains("<code>\(header.name)</code>")) }
        for error in testReference.errors { #expect(page.contains(HTML.prose(error.meaning))) }
        for operation in testReference.operations {
            for path in operation.paths {
                #expect(page.contains("<code>\(operation.route.method) \(path)</code>"))
            }
        }
    }

    @Test func `text is text, whatever it holds`() {
        #expect(HTML.prose("a `<b>` & \"c\"") == "a <code>&lt;b&gt;</code> &amp; &quot;c&quot;")
    }
}
