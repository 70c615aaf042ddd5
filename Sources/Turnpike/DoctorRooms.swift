import Admin
import Domain
import Gateway
import Logging
import TurnpikeConfiguration

/// What `admin doctor` sees of the gateway's rooms.
enum DoctorRooms {
    /// How long an upstream may take to answer.
    private static let patience = Duration.seconds(5)

    /// The program's own parts.
    static let parts = DoctorParts(
        askUpstream: { configuration, backend, environment in
            let wiring = BackendWiring(
                configuration: configuration, environment: variables(of: configuration, environment)
            )
            // A key that cannot be used was told of before anybody came to ask with it.
            guard let upstream = try? wiring.backend(named: backend),
                let probe = UpstreamProbe(upstream, timeout: patience)
            else { return nil }
            return await probe.run(logger: Logger(label: "turnpike.doctor")).map { outcome in
                switch outcome {
                case .answered(let status, let expires):
                    .answered(status: status, expires: expires)
                case .failed(let reason): .failed(reason: reason)
                }
            }
        },
        findEngine: { environment in
            let names = ["LLAMA_SERVER", "PATH", "TURNPIKE_ENGINE_CACHE", "XDG_CACHE_HOME", "HOME"]
            do throws(StartupFailure) {
                return .found(try EngineLocator(environment: values(names, environment)).engine())
            } catch {
                return .missing(reason: error.description)
            }
        })

    private static func variables(
        of configuration: Configuration, _ environment: DoctorParts.Environment
    ) -> [String: String] {
        values(
            configuration.backends.flatMap { backend in
                switch backend.kind {
                case .localEngine: [String]()
                case .openAI(let upstream): upstream.apiKeyVariables
                case .anthropic(let upstream): upstream.apiKeyVariables
                }
            }, environment)
    }

    private static func values(
        _ names: [String], _ environment: DoctorParts.Environment
    ) -> [String: String] {
        Dictionary(
            names.compactMap { name in environment(name).map { (name, $0) } },
            uniquingKeysWith: { first, _ in first })
    }
}
