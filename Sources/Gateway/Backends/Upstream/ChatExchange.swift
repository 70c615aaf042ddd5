import Curl
import Domain
import JSON

/// One place where chat calls are sent, and everything that goes with a call: the part that the
/// local engine and an upstream have in common.
struct ChatExchange: Sendable {
    /// The absolute URL of the chat completions endpoint.
    var url: String
    /// The socket to connect to instead of the URL's host, for the local engine.
    var unixSocketPath: String?
    /// Sent to this URL only; redirects are not followed.
    var credential: UpstreamCredential?
    var dialect: Dialect
    var limits: UpstreamLimits
    /// Whether calls share connections.
    var connection: CurlRequest.Connection

    /// How much of an error's body is looked at, and for how long.
    private static let errorBodyBytes = 64 * 1024
    private static let errorBodyTimeout = Duration.seconds(5)

    /// What must not stand in a log even if the backend repeats it.
    private var secrets: [[UInt8]] { credential.map { [$0.bytes] } ?? [] }

    /// Sends a call and returns once the head of the answer is 200. The answer holds `lease` until
    /// it ends.
    func begin(
        _ call: BackendCall, over client: CurlClient, holding lease: EngineSlotLease?
    ) async throws(BackendFailure) -> ChatAnswer {
        let streams = call.request.streams || dialect.alwaysStreams
        let response: CurlResponse
        do throws(CurlFailure) {
            response = try await client.execute(makeRequest(call, streams: streams))
        } catch {
            throw BackendFailure(error, redacting: secrets)
        }
        guard response.status == 200 else { throw await failure(of: response) }
        return ChatAnswer(
            response.body, form: try form(of: response, streams: streams), lease: lease,
            decodes: .init(
                maximumBytes: limits.maximumResponseBytes, readsTimings: dialect.readsTimings,
                alternatives: call.request.tellsLogprobs ? call.request.topLogprobs ?? 0 : nil,
                secrets: secrets))
    }

    /// Sends a call to an endpoint that answers with a short JSON text, and reads that.
    func fetch(_ call: BackendCall, over client: CurlClient) async throws(BackendFailure) -> [UInt8]
    {
        let response: CurlResponse
        do throws(CurlFailure) {
            response = try await client.execute(makeRequest(call, streams: false))
        } catch {
            throw BackendFailure(error, redacting: secrets)
        }
        guard response.status == 200 else { throw await failure(of: response) }
        return await response.body.excerpt(
            atMost: Self.errorBodyBytes, within: Self.errorBodyTimeout)
    }

    /// The headers are written here and nowhere else: nothing of the client's is passed on.
    private func makeRequest(_ call: BackendCall, streams: Bool) -> CurlRequest {
        var headers = [
            (name: "content-type", value: "application/json"),
            (name: "accept", value: streams ? "text/event-stream" : "application/json"),
            (name: "accept-encoding", value: "identity"),
            (name: "user-agent", value: "turnpike"),
            (name: "x-request-id", value: call.requestID.description),
        ]
        if let credential { headers.append((name: "authorization", value: credential.bearer)) }
        var request = CurlRequest(
            method: .post, url: url, headers: headers,
            body: ForwardedBody.make(call, in: dialect, streams: streams))
        request.unixSocketPath = unixSocketPath
        request.connectTimeout = limits.connectTimeout
        request.firstByteTimeout = limits.firstByteTimeout
        request.idleTimeout = limits.idleTimeout
        request.totalTimeout = limits.totalTimeout
        request.maximumResponseBytes = limits.maximumResponseBytes
        request.connection = connection
        return request
    }

    /// What a 200 announces: a stream, or a whole answer, which is accepted where a stream was
    /// asked for.
    private func form(
        of response: CurlResponse, streams: Bool
    ) throws(BackendFailure) -> ChatAnswer.Form {
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
    private func failure(of response: CurlResponse) async -> BackendFailure {
        let body = await response.body.excerpt(
            atMost: Self.errorBodyBytes, within: Self.errorBodyTimeout)
        let retryAfter = UpstreamErrorBody.retryAfter(
            seconds: response.header("retry-after"),
            milliseconds: response.header("retry-after-ms"))
        let kind =
            Self.error(in: body)?.kind(status: response.status, retryAfter: retryAfter)
            ?? UpstreamErrorBody.kind(status: response.status, retryAfter: retryAfter)
        return BackendFailure(
            kind: kind,
            detail:
                "status \(response.status)\(Self.error(in: body)?.label(redacting: secrets) ?? "")")
    }

    private static func error(in body: [UInt8]) -> UpstreamErrorBody? {
        let parser = JSONParser(
            maximumBytes: errorBodyBytes, maximumDepth: 16, maximumNodes: 10_000,
            checkDuplicateKeys: false)
        // A body that is no JSON says no more than its status.
        return (try? parser.parse(body)).flatMap { UpstreamErrorBody($0.root) }
    }
}
