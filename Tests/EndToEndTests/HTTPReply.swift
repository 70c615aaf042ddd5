import Foundation

/// An HTTP answer as it was received.
struct HTTPReply: Sendable {
    let status: Int
    /// Names in lower case.
    let headers: [(name: String, value: String)]
    var body: [UInt8] = []

    /// The value of the first field of this name, in lower case.
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The body as text.
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as a JSON object; empty when it is none.
    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
    }

    /// The `error` object of the envelope; empty when there is none.
    var error: [String: Any] { json["error"] as? [String: Any] ?? [:] }

    /// `error.code`; nil when it is null or missing.
    var code: String? { error["code"] as? String }

    /// Whether the body is the envelope with exactly its four keys and a request id.
    var isEnvelope: Bool {
        Set(error.keys) == ["message", "type", "param", "code"]
            && Set(json.keys) == ["error", "request_id"]
            && error["message"] is String && error["type"] is String
            && !(json["request_id"] as? String ?? "").isEmpty
    }

    /// The body without its request id, for answers that must not differ.
    var textWithoutRequestID: String {
        guard let id = json["request_id"] as? String else { return text }
        return text.replacing(id, with: "")
    }

    /// `usage` of a completion: prompt, completion and total tokens.
    var usage: (prompt: Int, completion: Int, total: Int)? {
        guard let usage = json["usage"] as? [String: Any],
            let prompt = usage["prompt_tokens"] as? Int,
            let completion = usage["completion_tokens"] as? Int,
            let total = usage["total_tokens"] as? Int
        else { return nil }
        return (prompt, completion, total)
    }

    /// How many of the six rate-limit headers there are.
    var rateLimitHeaders: Int {
        let names = ["limit", "remaining", "reset"].flatMap { kind in
            ["requests", "tokens"].map { "x-ratelimit-\(kind)-\($0)" }
        }
        return names.count { header($0) != nil }
    }

    /// The data of the body's events.
    var events: [String] { Self.events(in: text) }

    /// The data of the events in a text.
    static func events(in text: String) -> [String] {
        text.components(separatedBy: "\n\n").compactMap { event in
            event.hasPrefix("data: ") ? String(event.dropFirst(6)) : nil
        }
    }
}
