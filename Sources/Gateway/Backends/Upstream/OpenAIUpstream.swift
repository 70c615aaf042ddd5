import Curl
import Domain
import Logging

/// An OpenAI-compatible upstream.
struct OpenAIUpstream: Backend {
    let name: String
    private let exchange: ChatExchange
    private let client: CurlClient
    private let server: UpstreamServer
    private let answersOneChoice: Bool
    private let extraParameters: Set<OpenAIUpstreamConfiguration.ExtraParameter>

    /// An upstream that is reached through `client`, which it shares with others.
    init(
        _ configuration: OpenAIUpstreamConfiguration, client: CurlClient, time: any TimeSource,
        logger: Logger
    ) {
        name = configuration.name
        server = configuration.server
        let quirks = configuration.quirks
        exchange = ChatExchange(
            url: configuration.endpoint, unixSocketPath: nil,
            credentials: UpstreamCredentials(
                configuration.credentials, upstream: configuration.name, time: time,
                logger: logger),
            dialect: server == .llamaServer
                ? .llamaServer
                : .openAI(
                    bound: quirks.sendsMaxTokens ? .maxTokens : .maxCompletionTokens,
                    extras: quirks.extraParameters),
            limits: configuration.limits, transport: configuration.transport,
            connection: quirks.usesFreshConnections ? .fresh : .pooled)
        answersOneChoice = quirks.answersOneChoice
        extraParameters = quirks.extraParameters
        self.client = client
    }

    var unavailability: BackendFailure? { nil }

    /// Forwards a call. A pooled connection that the upstream had closed meanwhile costs one
    /// further try on a new one, by libcurl and only if no byte of an answer came; nothing else is
    /// tried twice, but for a call that is refused for a bound that its context has no room for.
    func forward(_ call: BackendCall) async throws(BackendFailure) -> any BackendAnswer {
        let call = server.withDefaults(call, known: extraParameters)
        guard answersOneChoice && call.request.choices > 1 else {
            return try await begin(call, holding: nil)
        }
        return try await FannedAnswer.beginAtUpstream(call) { call, lease throws(BackendFailure) in
            try await begin(call, holding: lease)
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
        if answersOneChoice && request.choices > 1 {
            // Each call would search, at its own fee, and be judged by itself.
            if request.webSearch != nil { return "web_search_options" }
            if request.moderation != nil { return "moderation" }
        }
        return exchange.dialect.unsupportedParameter(in: request) ?? server.unsupported(in: request)
    }
}
