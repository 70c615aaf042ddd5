import Curl
import Domain

/// One place where chat calls are sent, and everything that goes with a call: the part that the
/// local engine and an upstream have in common.
struct ChatExchange: Sendable {
    /// The absolute URL of the chat completions endpoint.
    var url: String
    /// The socket to connect to instead of the URL's host, for the local engine.
    var unixSocketPath: String?
    /// Sent to this URL only; redirects are not followed.
    var credential: UpstreamCredential?
    /// Instead of that one, several, of which each call is made with one.
    var credentials: UpstreamCredentials?
    var dialect: Dialect
    var limits: UpstreamLimits
    /// How the URL is connected to; nil for a socket of ours.
    var transport: UpstreamTransport?
    /// Whether calls share connections.
    var connection: CurlRequest.Connection

    /// What must not stand in a log even if the backend repeats it.
    private var secrets: [[UInt8]] {
        credentials?.secrets ?? credential.map { [$0.bytes] } ?? []
    }

    /// Sends a call and returns once the head of the answer is 200. The answer holds `lease` until
    /// it ends.
    func begin(
        _ call: BackendCall, over client: CurlClient, holding lease: EngineSlotLease?
    ) async throws(BackendFailure) -> ChatAnswer {
        let streams = call.request.streams || dialect.alwaysStreams
        let reply: UpstreamReply
        if let credentials {
            reply = try await credentials.begin(call) { credential throws(UpstreamRefusal) in
                try await send(call, over: client, streams: streams, with: credential)
            }
        } else {
            do throws(UpstreamRefusal) {
                reply = try await send(call, over: client, streams: streams, with: credential)
            } catch {
                throw error.failure
            }
        }
        return ChatAnswer(
            reply.response.body, form: try reply.form(streams: streams), lease: lease,
            secrets: secrets
        ) {
            ChatChunkDecoder(
                maximumBytes: limits.maximumResponseBytes, readsTimings: dialect.readsTimings,
                alternatives: call.request.tellsLogprobs ? call.request.topLogprobs ?? 0 : nil,
                secrets: secrets,
                tells: ChatChunkDecoder.Told(
                    sound: call.request.speech != nil,
                    moderation: call.request.moderation != nil))
        }
    }

    /// Sends a call with a credential and returns once the head of the answer is 200.
    private func send(
        _ call: BackendCall, over client: CurlClient, streams: Bool,
        with credential: UpstreamCredential?
    ) async throws(UpstreamRefusal) -> UpstreamReply {
        let response: CurlResponse
        do throws(CurlFailure) {
            response = try await client.execute(
                makeRequest(call, streams: streams, with: credential))
        } catch {
            throw UpstreamRefusal(
                failure: BackendFailure(error, redacting: secrets), verdict: nil)
        }
        let reply = UpstreamReply(response: response, secrets: secrets)
        guard response.status == 200 else { throw await reply.refusal() }
        return reply
    }

    /// Sends a call to an endpoint that answers with a short JSON text, and reads that.
    func fetch(_ call: BackendCall, over client: CurlClient) async throws(BackendFailure) -> [UInt8]
    {
        let response: CurlResponse
        do throws(CurlFailure) {
            response = try await client.execute(
                makeRequest(call, streams: false, with: credential))
        } catch {
            throw BackendFailure(error, redacting: secrets)
        }
        let reply = UpstreamReply(response: response, secrets: secrets)
        guard response.status == 200 else { throw await reply.failure() }
        return await reply.shortBody()
    }

    /// The headers are written here and nowhere else: nothing of the client's is passed on.
    private func makeRequest(
        _ call: BackendCall, streams: Bool, with credential: UpstreamCredential?
    ) -> CurlRequest {
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
        limits.bind(&request)
        request.connection = connection
        transport?.bind(&request)
        return request
    }
}
