import Domain
import JSON

/// What every chunk of an answer has in common.
struct CompletionIdentity: Sendable {
    /// `chatcmpl-` and 32 hexadecimal digits: the request's own.
    let id: String
    /// Seconds since 1970-01-01 UTC.
    let created: Int64
    /// The alias the client asked for.
    let model: String

    /// Makes the identity of a request's answer.
    init(_ requestID: RequestID, createdAt: Timestamp, model: String) {
        let digits = String(requestID.rawValue, radix: 16)
        id = "chatcmpl-" + String(repeating: "0", count: 32 - digits.utf8.count) + digits
        created = createdAt.seconds
        self.model = model
    }

    /// The id of a tool call that its backend gave none: the answer's own, the choice and the call.
    func callID(choice: Int, call: Int) -> String {
        "call_\(id.dropFirst("chatcmpl-".count))_\(choice)_\(call)"
    }

    /// Writes the members of an open object.
    func write(object: String, _ writer: inout JSONWriter) {
        writer.key("id")
        writer.string(id)
        writer.key("object")
        writer.string(object)
        writer.key("created")
        writer.integer(created)
        writer.key("model")
        writer.string(model)
    }
}
