import Curl
import Domain
import Logging

/// An upstream that speaks Anthropic's Messages API.
struct AnthropicUpstream: Backend {
    let name: String
    private let exchange: MessagesExchange
    private let client: CurlClient
    private let parameters: MessagesParameters

    /// An upstream that is reached through `client`, which it shares with others.
    init(
        _ configuration: AnthropicUpstreamConfiguration, client: CurlClient, time: any TimeSource,
        logger: Logger
    ) {
        name = configuration.name
        parameters = MessagesParameters(
            thinking: configuration.thinking, takesSampling: configuration.takesSampling)
        exchange = MessagesExchange(
            url: configuration.endpoint,
            credentials: UpstreamCredentials(
                configuration.credentials, upstream: configuration.name, time: time,
                logger: logger),
            version: configuration.version, thinking: configuration.thinking,
            limits: configuration.limits, transport: configuration.transport)
        self.client = client
    }

    var unavailability: BackendFailure? { nil }

    /// Forwards a call, or one for each choice. Nothing is tried twice but a call that is refused
    /// for a bound that its context has no room for.
    func forward(_ call: BackendCall) async throws(BackendFailure) -> any BackendAnswer {
        guard call.request.choices > 1 else { return try await begin(call, holding: nil) }
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
            // What is shortened may leave no room for thoughts that were asked for.
            guard let shorter = call.shortened(after: error),
                parameters.unsupported(in: shorter.request, bound: shorter.completionBound) == nil
            else { throw error }
            return try await exchange.begin(shorter, over: client, holding: lease)
        }
    }

    func unsupportedParameter(
        in request: ChatCompletionRequest, completionBound: Int64
    ) -> String? {
        parameters.unsupported(in: request, bound: completionBound)
    }
}
