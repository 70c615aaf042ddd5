import Curl
import TestSupport
import Testing

@testable import Gateway

/// The client of an analyzer service, against a server that says what Presidio says, and worse.
@Suite(.timeLimit(.minutes(1))) struct AnalyzerServices {
    private static func with(
        _ steps: [ScriptedUpstream.Step], timeout: Duration = .seconds(20),
        _ body: (AnalyzerService, ScriptedUpstream) async throws -> Void
    ) async throws {
        let server = try ScriptedUpstream { _ in steps }
        defer { server.stop() }
        let client = try CurlClient(logger: .quiet)
        try await body(
            AnalyzerService(
                configuration: AnalyzerConfiguration(
                    baseURL: "http://127.0.0.1:\(server.port)", language: "no", minimumScore: 50,
                    timeout: timeout), client: client), server)
        await client.shutdown()
    }

    @Test func `all texts go in one call, and findings come back to theirs, counted in bytes`()
        async throws
    {
        let json = """
            [{"entity_type":"PERSON","start":3,"end":9,"score":0.85,"analysis_explanation":null},
             {"entity_type":"PERSON","start":15,"end":18,"score":0.5},
             {"entity_type":"LOCATION","start":15,"end":18,"score":0.49}]
            """
        try await Self.with(ScriptedUpstream.Step.json(200, json)) { analyzer, server in
            let texts = ["Jå Øyvind", "", "i Å.😀"]
            let found = try await analyzer.findings(inAll: texts)
            #expect(
                found == [
                    [EntityFinding(entity: .person, range: 4..<11, score: 85)], [],
                    [EntityFinding(entity: .person, range: 2..<9, score: 50)],
                ])
            let request = await server.request(0)
            #expect(request.method == "POST" && request.path == "/analyze")
            #expect(request.text == #"{"text":"Jå Øyvind\n\n\n\ni Å.😀","language":"no"}"#)
            #expect(server.requests.count == 1)
        }
    }

    @Test func `a finding over the end of a text hides its part of both`() async throws {
        let json = #"[{"entity_type":"PERSON","start":1,"end":6,"score":1}]"#
        try await Self.with(ScriptedUpstream.Step.json(200, json)) { analyzer, _ in
            let found = try await analyzer.findings(inAll: ["abc", "def"])
            #expect(
                found == [
                    [EntityFinding(entity: .person, range: 1..<3, score: 100)],
                    [EntityFinding(entity: .person, range: 0..<1, score: 100)],
                ])
        }
    }

    @Test(arguments: [
        "{}", "[1]", "not JSON", "", #"[{"entity_type":"PERSON","start":0,"end":1}]"#,
        #"[{"entity_type":"PERSON","start":0,"end":1,"score":7}]"#,
        #"[{"entity_type":1,"start":0,"end":1,"score":1}]"#,
        #"[{"entity_type":"PERSON","start":0,"end":99,"score":1}]"#,
        #"[{"entity_type":"PERSON","start":-1,"end":1,"score":1}]"#,
        #"[{"entity_type":"PERSON","start":2,"end":1,"score":1}]"#,
    ])
    func `an answer that cannot be is a failure, not nothing found`(_ json: String) async throws {
        try await Self.with(ScriptedUpstream.Step.json(200, json)) { analyzer, _ in
            await #expect(throws: RecognizerFailure.self) {
                _ = try await analyzer.findings(in: "Ada")
            }
        }
    }

    @Test func `a service that refuses, is silent or is away is a failure`() async throws {
        let cases: [([ScriptedUpstream.Step], Duration)] = [
            (ScriptedUpstream.Step.json(500, "{}"), .seconds(20)),
            ([.silence], .milliseconds(200)),
        ]
        for (steps, timeout) in cases {
            try await Self.with(steps, timeout: timeout) { analyzer, server in
                do throws(RecognizerFailure) {
                    _ = try await analyzer.findings(in: "Ada Lovelace")
                    Issue.record("nothing was thrown")
                } catch {
                    #expect(!error.description.contains("Ada"))
                }
                server.stop()
                await #expect(throws: RecognizerFailure.self) {
                    _ = try await analyzer.findings(in: "Ada")
                }
            }
        }
    }

    @Test func `a text without a letter is not sent`() async throws {
        try await Self.with(ScriptedUpstream.Step.json(200, "[]")) { analyzer, server in
            let found = try await analyzer.findings(inAll: ["", ""])
            #expect(found == [[], []])
            #expect(server.requests.isEmpty)
        }
    }
}
