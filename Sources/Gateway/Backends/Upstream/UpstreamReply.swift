import Curl
import JSON

/// What an upstream answered to a call, as far as its head and its refusals tell.
struct UpstreamReply: Sendable {
    let response: CurlResponse
    /// What must not stand in a log even if the upstream repeats it.
    let secrets: [[UInt8]]

    /// How much of an error's body is looked at, and for how long.
    private static let errorBodyBytes = 64 * 1024
    private static let errorBodyTimeout = Duration.seconds(5)

    /// What a 200 announces: a stream, or a whole answer, which is accepted where a stream was
    /// asked for.
    func form(streams: Bool) throws(BackendFailure) -> ChatAnswer.Form {
        if let encoding = response.header("content-encoding"), encoding.lowercased() != "identity" {
            throw BackendFailure(kind: .malformed, detail: "the answer is encoded unasked")
        }
        let type = response.header("content-type") ?? ""
        let media = type.prefix { $0 != ";" && $0 != " " && $0 != "\t" }.lowercased()
        switch media {
        case "text/event-stream" where streams: return .stream
        case "application/json": return .whole
        default:
            throw BackendFailure(
                kind: .malformed,
                detail: "unexpected content type: "
                    + LogExcerpt.make(of: type.utf8, redacting: secrets))
        }
    }

    /// Reads a refusal. Its text goes to the log only.
    func failure() async -> BackendFailure { await refusal().failure }

    /// Reads a refusal, and what it says of the credential.
    func refusal() async -> UpstreamRefusal {
        let body = await shortBody()
        let retryAfter = UpstreamErrorBody.retryAfter(
            seconds: response.header("retry-after"),
            milliseconds: response.header("retry-after-ms"))
        let error = Self.error(in: body)
        let kind =
            error?.kind(status: response.status, retryAfter: retryAfter)
            ?? UpstreamErrorBody.kind(status: response.status, retryAfter: retryAfter)
        let verdict: CredentialRotation.Verdict? =
            switch response.status {
            // Unknown, or not paid for.
            case 401, 402: .refused
            case 403 where error?.refusesCredential != false: .refusedForModel
            // One that has too much to do for everybody says nothing of a credential.
            case 429 where error?.isOverload != true: .limited(retryAfter)
            default: nil
            }
        var failure = BackendFailure(
            kind: kind,
            detail: "status \(response.status)\(error?.label(redacting: secrets) ?? "")",
            status: response.status)
        if kind == .invalidRequest { failure.fault = error?.fault }
        return UpstreamRefusal(failure: failure, verdict: verdict)
    }

    /// What there is of a short body.
    func shortBody() async -> [UInt8] {
        await response.body.excerpt(atMost: Self.errorBodyBytes, within: Self.errorBodyTimeout)
    }

    private static func error(in body: [UInt8]) -> UpstreamErrorBody? {
        let parser = JSONParser(
            maximumBytes: errorBodyBytes, maximumDepth: 16, maximumNodes: 10_000,
            checkDuplicateKeys: false)
        // A body that is no JSON says no more than its status.
        return (try? parser.parse(body)).flatMap { UpstreamErrorBody($0.root) }
    }
}
