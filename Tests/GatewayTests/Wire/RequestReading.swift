import JSON
import Testing

@testable import Gateway

/// Reads a request of `{"model":"m","messages":"hi",…members…}`.
func readRequest(_ members: String) throws -> ChatCompletionRequest {
    try readRequest(
        body: #"{"model":"m","messages":"hi"\#(members.isEmpty ? "" : ",")\#(members)}"#)
}

/// Reads a request of a whole body.
func readRequest(body: String, mostChoices: Int = 128) throws -> ChatCompletionRequest {
    let parser = JSONParser(maximumBytes: 1 << 20, maximumDepth: 64, maximumNodes: 10_000)
    return try ChatCompletionRequestReader.read(
        parser.parse(body).root, mostStops: 4, mostChoices: mostChoices)
}

/// What is wrong with the request that `body` reads.
func requestFault(_ body: () throws -> ChatCompletionRequest) throws -> RequestFault {
    try #require(throws: RequestFault.self) { _ = try body() }
}

/// Members of a body, and how they are refused.
struct RefusedMembers: Sendable, CustomTestStringConvertible {
    let members: String
    let parameter: String
    let code: RequestFault.Code
    var testDescription: String { members }

    init(_ members: String, _ parameter: String, _ code: RequestFault.Code) {
        (self.members, self.parameter, self.code) = (members, parameter, code)
    }

    /// Reads the members and checks the refusal.
    func check() throws {
        let fault = try requestFault { try readRequest(members) }
        #expect(fault.parameter == parameter)
        #expect(fault.code == code)
    }
}

extension JSONFragment {
    /// A string.
    static func text(_ text: String) -> JSONFragment? {
        let parser = JSONParser(maximumBytes: 4096, maximumDepth: 8, maximumNodes: 99)
        return (try? parser.parse("[\"\(text)\"]").root[0]).flatMap { $0 }.map { JSONFragment($0) }
    }
}

extension ChatCompletionRequest {
    /// What `{"model":"m","messages":"hi"}` reads as, changed.
    static func plain(
        _ change: (inout ChatCompletionRequest) -> Void = { _ in }
    ) -> ChatCompletionRequest {
        var request = ChatCompletionRequest(
            model: "m", messages: [ChatMessage(role: .user, content: .text("hi"))])
        change(&request)
        return request
    }
}
