import Domain
import Ledger
import TurnpikeConfiguration

/// A backend as the configuration names it.
struct BackendEntry: Equatable {
    let name: String
    /// The configuration's word for what it is: `openai`, `anthropic` or `local_engine`.
    let kind: String
    /// The names by which it knows the model aliases that it serves.
    let upstreamModels: [String: String]
}

/// What the comparison with a provider's export asks.
protocol ReconcilingLedger {
    /// The backends of the configuration, in its order.
    func backends() -> [BackendEntry]
    /// What backends were used for, whoever the tenants were.
    func backendUsage(_ query: BackendUsageQuery) throws(AdminFailure) -> BackendUsage
}

extension BackendEntry {
    /// The backends of a configuration.
    static func all(_ configuration: Configuration) -> [BackendEntry] {
        configuration.backends.map { backend in
            let kind =
                switch backend.kind {
                case .localEngine: "local_engine"
                case .openAI: "openai"
                case .anthropic: "anthropic"
                }
            let names = configuration.routes.compactMap { route in
                route.upstreamModel(atBackend: backend.name).map { (route.alias, $0) }
            }
            return BackendEntry(
                name: backend.name, kind: kind,
                upstreamModels: Dictionary(names) { first, _ in first })
        }
    }
}
