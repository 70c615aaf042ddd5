import Domain
import Foundation

@testable import Gateway

/// What is sent for a request of `{"model":"alias","messages":"hi",…members…}`, with a bound of
/// `bound`.
struct WrittenMessage {
    private let members: [String: Any]
    /// The parameter by whose name the request is refused; nothing is sent then.
    let refusal: String?

    /// Reads and writes a request with these members beside the usual.
    init(
        _ members: String, bound: Int64 = 4096,
        thinking: AnthropicUpstreamConfiguration.Thinking = .budgeted(.init()),
        takesSampling: Bool = true
    ) throws {
        let request = try readRequest(
            body: members.contains(#""messages""#)
                ? #"{"model":"alias",\#(members)}"#
                : #"{"model":"alias","messages":"hi"\#(members.isEmpty ? "" : ",")\#(members)}"#)
        refusal = MessagesParameters(thinking: thinking, takesSampling: takesSampling)
            .unsupported(in: request, bound: bound)
        guard refusal == nil else {
            self.members = [:]
            return
        }
        let call = BackendCall(
            request: request, upstreamModel: "claude-9", completionBound: bound,
            requestID: RequestID(rawValue: 7))
        let bytes = MessagesBody.make(call, thinking: thinking)
        let value = try JSONSerialization.jsonObject(with: Data(bytes))
        guard let members = value as? [String: Any] else { throw CocoaError(.coderReadCorrupt) }
        self.members = members
    }

    /// The names of what is sent.
    var names: Set<String> { Set(members.keys) }

    /// A member as JSON with sorted keys; nil where it is not sent.
    subscript(name: String) -> String? {
        members[name].flatMap { try? Self.text($0) }
    }

    /// A JSON text with sorted keys.
    static func sorted(_ text: String) throws -> String {
        try self.text(
            JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed))
    }

    private static func text(_ value: Any) throws -> String {
        let options: JSONSerialization.WritingOptions = [
            .sortedKeys, .fragmentsAllowed, .withoutEscapingSlashes,
        ]
        return String(
            decoding: try JSONSerialization.data(withJSONObject: value, options: options),
            as: UTF8.self)
    }
}
