import Domain
import NIOHTTP1

/// The six `x-ratelimit-*` headers of every answer to a known key, and beside them the two of the
/// IETF (draft-ietf-httpapi-ratelimit-headers-10) where anything limits.
enum RateLimitHeaders {
    /// What is told where nothing limits.
    static let unlimited = Standing.Line(
        limit: 2_147_483_647, remaining: 2_147_483_647, reset: .zero)

    /// Adds the headers of a standing.
    static func add(_ standing: Standing, to headers: inout HTTPHeaders) {
        let requests = standing.requests ?? unlimited
        let tokens = standing.tokens ?? unlimited
        headers.add(name: "x-ratelimit-limit-requests", value: String(requests.limit))
        headers.add(name: "x-ratelimit-limit-tokens", value: String(tokens.limit))
        headers.add(name: "x-ratelimit-remaining-requests", value: String(requests.remaining))
        headers.add(name: "x-ratelimit-remaining-tokens", value: String(tokens.remaining))
        headers.add(name: "x-ratelimit-reset-requests", value: text(of: requests.reset))
        headers.add(name: "x-ratelimit-reset-tokens", value: text(of: tokens.reset))
        if !standing.warnings.isEmpty {
            headers.add(name: "x-turnpike-quota-warning", value: text(of: standing.warnings))
        }
        let lines = [("requests", standing.requests), ("tokens", standing.tokens)]
            .compactMap { name, line in line.map { (name, $0) } }
        guard !lines.isEmpty else { return }
        headers.add(
            name: "ratelimit-policy",
            value: lines.map { "\"\($0)\";q=\(integer($1.limit))" }.joined(separator: ", "))
        headers.add(
            name: "ratelimit",
            value: lines.map { name, line in
                "\"\(name)\";r=\(integer(line.remaining));t=\(seconds(line.reset))"
            }.joined(separator: ", "))
    }

    /// Warnings as a list of structured fields (RFC 9651), such as
    /// `team;resource=tokens;period=day;used=83;limit=1000000`: `used` in per cent, rounded down, and
    /// `soft` where the quota refuses nothing. A limit that is no integer of theirs is left out.
    static func text(of warnings: [QuotaWarning]) -> String {
        warnings.map { warning in
            let quota = warning.quota
            let model = quota.model.map { ";model=\(string($0))" } ?? ""
            let item =
                "\(quota.subject.kind.name)\(model);resource=\(quota.resource.name)"
                + ";period=\(quota.period.name);used=\(integer(warning.percent))"
            let limit = quota.limit == integer(quota.limit) ? ";limit=\(quota.limit)" : ""
            return item + limit + (quota.isSoft ? ";soft" : "")
        }.joined(separator: ", ")
    }

    /// A text as a string of structured fields, which are ASCII: `?` stands for what is not.
    private static func string(_ text: String) -> String {
        let bytes = text.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
            case 0x20...0x7E: [byte]
            default: [UInt8(ascii: "?")]
            }
        }
        return "\"" + String(decoding: bytes, as: UTF8.self) + "\""
    }

    /// What an integer of structured fields (RFC 9651) may be at most.
    private static func integer(_ value: Int64) -> Int64 { min(value, 999_999_999_999_999) }

    /// Whole seconds, rounded up.
    private static func seconds(_ duration: Duration) -> Int64 {
        (duration.millisecondsRoundedUp + 999) / 1000
    }

    /// A duration as Go writes it: `120ms`, `1s`, `1.5s`, `6m0s`, `1h0m0s`. Rounded up, to
    /// milliseconds below a minute and to seconds above.
    static func text(of duration: Duration) -> String {
        let milliseconds = duration.millisecondsRoundedUp
        if milliseconds <= 0 { return "0s" }
        if milliseconds < 1000 { return "\(milliseconds)ms" }
        if milliseconds < 60_000 {
            var fraction = String(milliseconds % 1000 + 1000).dropFirst()
            while fraction.hasSuffix("0") { fraction.removeLast() }
            return fraction.isEmpty
                ? "\(milliseconds / 1000)s" : "\(milliseconds / 1000).\(fraction)s"
        }
        let seconds = (milliseconds - 1) / 1000 + 1
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
        return hours > 0
            ? "\(hours)h\(minutes)m\(seconds % 60)s" : "\(minutes)m\(seconds % 60)s"
    }
}
