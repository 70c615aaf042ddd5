import Domain
import Gateway
import TurnpikeConfiguration

/// Turns the configuration's backends into the gateway's.
struct BackendWiring {
    let configuration: Configuration
    let environment: [String: String]

    /// Every backend, in the file's order.
    func all() throws(StartupFailure) -> [BackendConfiguration] {
        var all: [BackendConfiguration] = []
        for backend in configuration.backends {
            switch backend.kind {
            case .localEngine(let engine):
                all.append(.localEngine(try localEngine(engine, name: backend.name)))
            case .openAI(let upstream):
                all.append(.openAI(try openAI(upstream, name: backend.name)))
            }
        }
        return all
    }

    private func localEngine(
        _ engine: EngineDescription, name: String
    ) throws(StartupFailure) -> LocalEngineConfiguration {
        let locator = EngineLocator(environment: environment)
        let command = if let named = engine.command { named } else { try locator.engine() }
        // The name the engine answers to is what the routes forward as the model.
        let alias =
            configuration.routes.first { $0.backends.contains(name) }?.upstreamModel ?? name
        var local = LocalEngineConfiguration(
            name: name, command: command, modelFile: engine.modelFile, alias: alias,
            slots: Int(engine.slots), contextTokensPerSlot: Int(engine.contextTokens),
            threads: engine.threads.map(Int.init), environment: environment,
            logFile: "\(configuration.dataDirectory)/engine-\(name).log",
            socketDirectory: "\(configuration.dataDirectory)/engines")
        local.extraArguments = engine.extraArguments
        return local
    }

    private func openAI(
        _ upstream: UpstreamDescription, name: String
    ) throws(StartupFailure) -> OpenAIUpstreamConfiguration {
        var credential: UpstreamCredential?
        if let variable = upstream.apiKeyVariable {
            credential = UpstreamCredential(bytes: Array((environment[variable] ?? "").utf8))
            if credential == nil {
                throw StartupFailure("the environment variable \(variable) holds no key")
            }
        }
        var openAI = OpenAIUpstreamConfiguration(
            name: name, baseURL: upstream.baseURL, credential: credential)
        openAI.quirks.sendsMaxTokens = upstream.maximumTokensField == .maxTokens
        openAI.quirks.answersOneChoice = !upstream.severalChoices
        openAI.quirks.extraParameters = Set(
            upstream.extraParameters.compactMap {
                OpenAIUpstreamConfiguration.ExtraParameter(rawValue: $0.rawValue)
            })
        openAI.limits.connectTimeout = upstream.timeouts.connect
        openAI.limits.firstByteTimeout = upstream.timeouts.firstByte
        openAI.limits.idleTimeout = upstream.timeouts.idle
        openAI.limits.totalTimeout = upstream.timeouts.total
        return openAI
    }
}
