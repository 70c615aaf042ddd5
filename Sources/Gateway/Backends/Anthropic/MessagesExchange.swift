import Curl
import Domain

/// Where calls in Anthropic's format are sent, and everything that goes with a call.
///
/// Calls for a plain answer are streamed all the same: what was generated for a client that leaves
/// is then known, and a long answer is not mistaken for none, since the upstream pings meanwhile.
struct MessagesExchange: Sendable {
    /// The absolute URL of the messages endpoint.
    var url: String
    /// Sent to this URL only; redirects are not followed. Each call is made with one of them.
    var credentials: UpstreamCredentials
    /// The version of the API that is spoken.
    var version: String
    /// How the models behind it think.
    var thinking: AnthropicUpstreamConfiguration.Thinking
    var limits: UpstreamLimits
    /// How the URL is connected to.
    var transport: UpstreamTransport

    /// What must not stand in a log even if the upstream repeats it.
    private var secrets: [[UInt8]] { credentials.secrets }

    /// Sends a call and returns once the head of the answer is 200. The answer holds `lease` until
    /// it ends.
    func begin(
        _ call: BackendCall, over client: CurlClient, holding lease: EngineSlotLease?
    ) async throws(BackendFailure) -> ChatAnswer {
        let reply = try await credentials.begin(call) { credential throws(UpstreamRefusal) in
            try await send(call, over: client, with: credential)
        }
        return ChatAnswer(
            reply.response.body, form: try reply.form(streams: true), lease: lease,
            secrets: secrets
        ) {
            MessagesDecoder(maximumBytes: limits.maximumResponseBytes, secrets: secrets)
        }
    }

    /// Sends a call with a credential and returns once the head of the answer is 200.
    private func send(
        _ call: BackendCall, over client: CurlClient, with credential: UpstreamCredential?
    ) async throws(UpstreamRefusal) -> UpstreamReply {
        let response: CurlResponse
        do throws(CurlFailure) {
            response = try await client.execute(makeRequest(call, with: credential))
        } catch {
            throw UpstreamRefusal(
                failure: BackendFailure(error, redacting: secrets), verdict: nil)
        }
        let reply = UpstreamReply(response: response, secrets: secrets)
        guard response.status == 200 else { throw await reply.refusal() }
        return reply
    }

    /// The headers are written here and nowhere else: nothing of the client's is passed on.
    private func makeRequest(
        _ call: BackendCall, with credential: UpstreamCredential?
    ) -> CurlRequest {
        var headers = [
            (name: "content-type", value: "application/json"),
            (name: "accept", value: "text/event-stream"),
            (name: "accept-encoding", value: "identity"),
            (name: "user-agent", value: "turnpike"),
            (name: "x-request-id", value: call.requestID.description),
            (name: "anthropic-version", value: version),
        ]
        if let credential { headers.append((name: "x-api-key", value: credential.plain)) }
        var request = CurlRequest(
            method: .post, url: url, headers: headers,
            body: MessagesBody.make(call, thinking: thinking))
        limits.bind(&request)
        transport.bind(&request)
        return request
    }
}
