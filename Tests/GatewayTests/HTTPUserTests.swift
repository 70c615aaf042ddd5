import Domain
import Testing

@testable import Gateway

/// What becomes of `user`: the ledger is told its hash, a backend the name.
@Suite struct `A client's user` {
    private static func body(_ members: String) -> String {
        #"{"model":"tiny","messages":"hi"\#(members)}"#
    }

    @Test(
        arguments: [
            (#","user":"ada@example.com""#, "ada@example.com"),
            (#","safety_identifier":"u-1""#, "u-1"),
            (#","user":"ada@example.com","safety_identifier":"u-1""#, "ada@example.com"),
            (#","user":"""#, nil), (#","user":null"#, nil), ("", nil),
        ] as [(String, String?)])
    func `is admitted by its hash`(_ members: String, _ user: String?) async throws {
        let backend = ScriptedBackend(.text(["x"], TokenUsage(prompt: 3, completion: 1)))
        try await withGateway(backend: backend) { gateway in
            let answer = try await gateway.post(Self.body(members))
            #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
            let admitted = try #require(gateway.ledger.admissions.elements.first)
            #expect(
                admitted.user == user.map { OneKey().userHash(of: $0, in: .default) })
        }
    }
}

/// A model's own highest temperature.
@Suite struct `The highest temperature` {
    private func answer(_ temperature: String, most: Int64) async throws -> (String, Bool) {
        var route = ModelRoute(
            alias: "tiny", backends: ["local"], upstreamModel: "m", contextTokens: 1024,
            maximumCompletionTokens: 512, imageTokens: nil, price: nil)
        route.maximumTemperatureThousandths = most
        let backend = ScriptedBackend(.text(["x"], TokenUsage(prompt: 3, completion: 1)))
        var (text, isAdmitted) = ("", false)
        try await withGateway(backend: backend, routes: [route]) { gateway in
            text = try await gateway.post(
                #"{"model":"tiny","messages":"hi","temperature":\#(temperature)}"#)
            isAdmitted = !gateway.ledger.admissions.elements.isEmpty
        }
        return (text, isAdmitted)
    }

    @Test(arguments: [("1.01", 1000, "1"), ("0.701", 700, "0.7"), ("0.001", 0, "0")])
    func `of a model is told before anything is reserved`(
        _ temperature: String, _ most: Int64, _ words: String
    ) async throws {
        let (text, isAdmitted) = try await answer(temperature, most: most)
        #expect(text.hasPrefix("HTTP/1.1 400 "), "\(text)")
        #expect(text.contains(#""param":"temperature""#))
        #expect(text.contains(#""code":"decimal_above_max_value""#))
        #expect(text.contains("must be at most \(words) with this model."), "\(text)")
        #expect(!isAdmitted)
    }

    @Test(arguments: [("1", 1000), ("0.7", 700), ("0", 0), ("2", 2000), ("1.999", 2000)])
    func `itself is served`(_ temperature: String, _ most: Int64) async throws {
        let (text, isAdmitted) = try await answer(temperature, most: most)
        #expect(text.hasPrefix("HTTP/1.1 200 ") && isAdmitted, "\(text)")
    }

    @Test func `of no model is above two, in the words of the range`() async throws {
        let (text, isAdmitted) = try await answer("2.5", most: 1000)
        #expect(text.contains("must be at most 2."), "\(text)")
        #expect(!isAdmitted)
    }
}
