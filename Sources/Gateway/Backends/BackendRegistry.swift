import Curl
public import Domain
public import Logging
public import ServiceLifecycle

/// One backend of the configuration.
public enum BackendConfiguration: Sendable {
    /// llama.cpp's server, run by the gateway.
    case localEngine(LocalEngineConfiguration)
    /// An upstream that speaks OpenAI's API.
    case openAI(OpenAIUpstreamConfiguration)
    /// An upstream that speaks Anthropic's Messages API.
    case anthropic(AnthropicUpstreamConfiguration)

    /// The backend's name.
    public var name: String {
        switch self {
        case .localEngine(let configuration): configuration.name
        case .openAI(let configuration): configuration.name
        case .anthropic(let configuration): configuration.name
        }
    }
}

/// Why a backend cannot be used as configured, or did not start. The text is for the operator.
public struct BackendFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The backend's name.
    public let backend: String
    /// What is wrong, in one sentence.
    public let description: String
}

/// Every backend of the gateway, by name.
public struct BackendRegistry: Sendable {
    private let backends: [String: any Backend]
    private let engines: [LocalEngine]
    private let residency: EngineResidency?
    let client: CurlClient
    private let clientService: UpstreamClientService

    /// Makes the backends; the engines start when `services` run. `engineMemory`, in bytes, is what
    /// they may take together; nil is as much as there is. `random` gives the bits of the engines'
    /// keys and must be fit for secrets.
    ///
    /// Throws for a name given twice, a base URL that cannot be used, and an engine without slots,
    /// context or room.
    public init(
        _ configurations: [BackendConfiguration], engineMemory: Int64?, logger: Logger,
        time: any TimeSource, random: @escaping @Sendable () -> UInt64
    ) throws(BackendFault) {
        let client: CurlClient
        do throws(CurlFailure) {
            client = try CurlClient(logger: logger)
        } catch {
            throw BackendFault(backend: "", description: error.debugDescription)
        }
        self.client = client
        clientService = UpstreamClientService(client: client)
        var backends: [String: any Backend] = [:]
        var engines: [LocalEngine] = []
        let local = configurations.compactMap {
            if case .localEngine(let engine) = $0 { engine } else { nil }
        }
        let residency = try EngineResidency.make(
            for: local, budget: engineMemory, time: time, logger: logger)
        self.residency = residency
        for configuration in configurations {
            let name = configuration.name
            if let problem = Self.problem(with: configuration) {
                throw BackendFault(backend: name, description: problem)
            }
            guard backends[name] == nil else {
                throw BackendFault(backend: name, description: "the name is given twice")
            }
            switch configuration {
            case .openAI(let configuration):
                backends[name] = OpenAIUpstream(
                    configuration, client: client, time: time, logger: logger)
            case .anthropic(let configuration):
                backends[name] = AnthropicUpstream(
                    configuration, client: client, time: time, logger: logger)
            case .localEngine(let configuration):
                let engine = LocalEngine(
                    configuration, residency: residency, logger: logger, time: time,
                    random: random)
                engines.append(engine)
                backends[name] = engine
            }
        }
        self.backends = backends
        self.engines = engines
    }

    /// Throws where the engines could not do with so much memory, in bytes.
    public func checkEngineMemory(_ budget: Int64?) throws(BackendFault) {
        guard let residency else { return }
        try EngineResidency.check(residency.engines, against: budget)
    }

    /// Lets the engines take so much memory from now on, in bytes; nil is as much as there is. What
    /// is loaded beyond it goes once it is idle.
    public func setEngineMemory(_ budget: Int64?) { residency?.setBudget(budget) }

    /// What has to run for the backends to work, in the order of start; they are to be stopped
    /// after whatever sends calls.
    public var services: [any Service] {
        [clientService] + (residency.map { [$0] } ?? []) + engines
    }

    /// A recogniser that asks a service, over the connections that the backends use.
    public func recognizer(_ analyzer: AnalyzerConfiguration) -> any TextRecognizer {
        AnalyzerService(configuration: analyzer, client: client)
    }

    /// Waits until every engine that is always loaded can take calls. Throws when one does not
    /// start, with what it said.
    public func waitUntilReady(timeout: Duration) async throws(BackendFault) {
        for engine in engines where !engine.isOnDemand {
            do throws(EngineFault) {
                try await engine.waitUntilHealthy(timeout: timeout)
            } catch {
                throw BackendFault(backend: engine.name, description: error.description)
            }
        }
    }

    /// The backends, for the pipeline.
    public var set: BackendSet { BackendSet(Array(backends.values)) }

    private static func problem(with configuration: BackendConfiguration) -> String? {
        switch configuration {
        case .openAI(let upstream):
            return OpenAIUpstreamConfiguration.problem(withBaseURL: upstream.baseURL).map {
                "the base URL \($0)"
            }
        case .anthropic(let upstream):
            return OpenAIUpstreamConfiguration.problem(withBaseURL: upstream.baseURL).map {
                "the base URL \($0)"
            }
        case .localEngine(let engine):
            guard (1...1024).contains(engine.slots) else { return "an engine has 1 to 1024 slots" }
            guard (1...1 << 24).contains(engine.contextTokensPerSlot) else {
                return "a slot has a context of 1 to 16777216 tokens"
            }
            return nil
        }
    }
}
