import Domain
import JSON

/// What every chunk of an answer has in common.
struct CompletionIdentity: Sendable {
    /// `chatcmpl-` and 32 hexadecimal digits: the request's own.
    let id: String
    /// When the request came.
    let createdAt: Timestamp
    /// The alias the client asked for.
    let model: String
    /// `fp_` and 16 hexadecimal digits: another one when another backend answers.
    let fingerprint: String
    /// How soon the backend served the request; nil where it does not tell.
    var serviceTier: ServiceTier?

    /// Makes the identity of a request's answer.
    init(_ requestID: RequestID, createdAt: Timestamp, model: String, backend: String) {
        let digits = String(requestID.rawValue, radix: 16)
        id = "chatcmpl-" + String(repeating: "0", count: 32 - digits.utf8.count) + digits
        self.createdAt = createdAt
        self.model = model
        fingerprint = Self.fingerprint(of: model, at: backend)
    }

    /// A hash of what answers, which says nothing of it but whether it is the same: FNV-1a of 64
    /// bits, by Fowler, Noll and Vo.
    private static func fingerprint(of model: String, at backend: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in [Array(model.utf8), [0], Array(backend.utf8)].joined() {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return "fp_" + String(repeating: "0", count: 16 - digits.utf8.count) + digits
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
        writer.integer(createdAt.seconds)
        writer.key("model")
        writer.string(model)
        writer.key("system_fingerprint")
        writer.string(fingerprint)
        if let serviceTier {
            writer.key("service_tier")
            writer.string(serviceTier.rawValue)
        }
    }
}
