import Curl

/// An OpenAI-compatible upstream.
struct OpenAIUpstream: Backend {
    let name: String
    private let exchange: ChatExchange
    private let client: CurlClient
    private let answersOneChoice: Bool
    /// How many calls for choices of one request run at the same time.
    private static let callsAtOnce = 8

    /// An upstream that is reached through `client`, which it shares with others.
    init(_ configuration: OpenAIUpstreamConfiguration, client: CurlClient) {
        name = configuration.name
        let quirks = configuration.quirks
        exchange = ChatExchange(
            url: configuration.endpoint, unixSocketPath: nil, credential: configuration.credential,
            dialect: .openAI(
                bound: quirks.sendsMaxTokens ? .maxTokens : .maxCompletionTokens,
                extras: quirks.extraParameters),
            limits: configuration.limits,
            connection: quirks.usesFreshConnections ? .fresh : .pooled)
        answersOneChoice = quirks.answersOneChoice
        self.client = client
    }

    var unavailability: BackendFailure? { nil }

    /// Forwards a call. A pooled connection that the upstream had closed meanwhile costs one
    /// further try on a new one, by libcurl and only if no byte of an answer came; nothing else is
    /// tried twice, but for a call that is refused for a bound that its context has no room for.
    func forward(_ call: BackendCall) async throws(BackendFailure) -> any BackendAnswer {
        guard answersOneChoice && call.request.choices > 1 else {
            return try await begin(call, holding: nil)
        }
        let room = CallRoom(Self.callsAtOnce)
        return try await FannedAnswer.begin(call) { call, waits throws(BackendFailure) in
            // Who waits has nothing under way, so there is room.
            guard let lease = room.take() else {
                return waits ? try await begin(call, holding: nil) : nil
            }
            return try await begin(call, holding: lease)
        }
    }

    private func begin(
        _ call: BackendCall, holding lease: EngineSlotLease?
    ) async throws(BackendFailure) -> ChatAnswer {
        do throws(BackendFailure) {
            return try await exchange.begin(call, over: client, holding: lease)
        } catch {
            guard let shorter = call.shortened(after: error) else { throw error }
            return try await exchange.begin(shorter, over: client, holding: lease)
        }
    }

    func unsupportedParameter(
        in request: ChatCompletionRequest, completionBound: Int64
    ) -> String? {
        exchange.dialect.unsupportedParameter(in: request)
    }
}
