import Curl

/// An OpenAI-compatible upstream.
struct OpenAIUpstream: Backend {
    let name: String
    private let exchange: ChatExchange
    private let client: CurlClient

    /// An upstream that is reached through `client`, which it shares with others.
    init(_ configuration: OpenAIUpstreamConfiguration, client: CurlClient) {
        name = configuration.name
        let quirks = configuration.quirks
        exchange = ChatExchange(
            url: configuration.endpoint, unixSocketPath: nil, credential: configuration.credential,
            dialect: .openAI(bound: quirks.sendsMaxTokens ? .maxTokens : .maxCompletionTokens),
            limits: configuration.limits,
            connection: quirks.usesFreshConnections ? .fresh : .pooled)
        self.client = client
    }

    var unavailability: BackendFailure? { nil }

    /// Forwards a call. A pooled connection that the upstream had closed meanwhile costs one
    /// further try on a new one, by libcurl and only if no byte of an answer came; nothing else is
    /// tried twice, but for a call that is refused for a bound that its context has no room for.
    func forward(_ call: BackendCall) async throws(BackendFailure) -> any BackendAnswer {
        do throws(BackendFailure) {
            return try await exchange.begin(call, over: client, holding: nil)
        } catch {
            guard let shorter = call.shortened(after: error) else { throw error }
            return try await exchange.begin(shorter, over: client, holding: nil)
        }
    }

    func unsupportedParameter(in request: ChatCompletionRequest) -> String? {
        exchange.dialect.unsupportedParameter(in: request)
    }
}
