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
        for backend in configuration.backends { all.append(try make(backend)) }
        return all
    }

    /// The backend of that name; nil if there is none.
    func backend(named name: String) throws(StartupFailure) -> BackendConfiguration? {
        guard let found = configuration.backends.first(where: { $0.name == name }) else {
            return nil
        }
        return try make(found)
    }

    private func make(
        _ backend: BackendDescription
    ) throws(StartupFailure) -> BackendConfiguration {
        switch backend.kind {
        case .localEngine(let engine):
            .localEngine(try localEngine(engine, name: backend.name))
        case .openAI(let upstream): .openAI(try openAI(upstream, name: backend.name))
        case .anthropic(let upstream): .anthropic(try anthropic(upstream, name: backend.name))
        }
    }

    private func localEngine(
        _ engine: EngineDescription, name: String
    ) throws(StartupFailure) -> LocalEngineConfiguration {
        let locator = EngineLocator(environment: environment)
        let command = if let named = engine.command { named } else { try locator.engine() }
        // The name the engine answers to is what the routes forward as the model.
        let alias =
            configuration.routes.lazy.compactMap { $0.upstreamModel(atBackend: name) }.first ?? name
        var local = LocalEngineConfiguration(
            name: name, command: command, modelFile: engine.modelFile, alias: alias,
            slots: Int(engine.slots), contextTokensPerSlot: Int(engine.contextTokens),
            threads: engine.threads.map(Int.init), environment: environment,
            logFile: "\(configuration.dataDirectory)/engine-\(name).log",
            socketDirectory: "\(configuration.dataDirectory)/engines")
        local.extraArguments = engine.extraArguments
        local.memory = engine.memoryMegabytes.map { $0 * 1_000_000 }
        local.start =
            switch engine.start {
            case .always: .always
            case .onDemand: .onDemand(idleUnload: engine.idleUnload)
            }
        local.queueLength = Int(engine.queueLength)
        local.queueTimeout = engine.queueTimeout
        local.shares = EngineShares(weights: configuration.engines.teamWeights)
        return local
    }

    private func openAI(
        _ upstream: UpstreamDescription, name: String
    ) throws(StartupFailure) -> OpenAIUpstreamConfiguration {
        var openAI = OpenAIUpstreamConfiguration(
            name: name, baseURL: upstream.baseURL,
            credential: nil)
        openAI.server = UpstreamServer(upstream.server)
        openAI.quirks = openAI.server.quirks
        if let field = upstream.maximumTokensField {
            openAI.quirks.sendsMaxTokens = field == .maxTokens
        }
        if let several = upstream.severalChoices { openAI.quirks.answersOneChoice = !several }
        if let extras = upstream.extraParameters {
            openAI.quirks.extraParameters = Set(
                extras.compactMap {
                    OpenAIUpstreamConfiguration.ExtraParameter(rawValue: $0.rawValue)
                })
        }
        openAI.limits = UpstreamLimits(upstream.connection.timeouts)
        openAI.credentials = try credentials(in: upstream.apiKeyVariables)
        openAI.transport = UpstreamTransport(upstream.connection)
        return openAI
    }

    private func anthropic(
        _ upstream: AnthropicDescription, name: String
    ) throws(StartupFailure) -> AnthropicUpstreamConfiguration {
        var anthropic = AnthropicUpstreamConfiguration(
            name: name, baseURL: upstream.baseURL,
            credential: nil)
        anthropic.version = upstream.version
        anthropic.thinking =
            switch upstream.thinking {
            case .none: .unavailable
            case .budget: .budgeted(.init(upstream.budgets))
            case .adaptive: .adaptive
            case .always: .always
            }
        anthropic.takesSampling = upstream.takesSampling
        anthropic.limits = UpstreamLimits(upstream.connection.timeouts)
        anthropic.credentials = try credentials(in: upstream.apiKeyVariables)
        anthropic.transport = UpstreamTransport(upstream.connection)
        return anthropic
    }

    /// The keys that the variables hold, in their order.
    private func credentials(
        in variables: [String]
    ) throws(StartupFailure) -> [UpstreamCredential] {
        var credentials: [UpstreamCredential] = []
        for variable in variables {
            let value = Array((environment[variable] ?? "").utf8)
            guard let credential = UpstreamCredential(bytes: value) else {
                throw StartupFailure("the environment variable \(variable) holds no key")
            }
            credentials.append(credential)
        }
        return credentials
    }
}

extension UpstreamTransport {
    fileprivate init(_ connection: UpstreamConnection) {
        self.init()
        addresses = connection.addresses
        certificateAuthorityFile = connection.certificateAuthorityFile
        proxy = connection.proxy
        speaksHTTP2 = connection.speaksHTTP2
    }
}

extension UpstreamServer {
    fileprivate init(_ server: UpstreamDescription.Server) {
        self =
            switch server {
            case .openAI: .openAI
            case .llamaServer: .llamaServer
            case .vLLM: .vLLM
            case .sgLang: .sgLang
            case .ollama: .ollama
            }
    }
}

extension UpstreamLimits {
    fileprivate init(_ timeouts: UpstreamTimeouts) {
        self.init(
            connectTimeout: timeouts.connect, firstByteTimeout: timeouts.firstByte,
            idleTimeout: timeouts.idle, totalTimeout: timeouts.total)
    }
}

extension AnthropicUpstreamConfiguration.ThinkingBudgets {
    fileprivate init(_ budgets: AnthropicDescription.Budgets) {
        self.init()
        minimal = budgets.minimal
        low = budgets.low
        medium = budgets.medium
        high = budgets.high
        xhigh = budgets.xhigh
        self.max = budgets.max
    }
}
