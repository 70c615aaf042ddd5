import Domain
import Ledger
import TurnpikeConfiguration

/// What a configuration file's models come to at the prices in force, which the register in the
/// ledger has: the file's own where nobody has set others since.
struct PricedCatalog: Sendable {
    /// The register's number; another one says that there is something new.
    let revision: Int64
    /// The file's models at the prices in force.
    let routes: [ModelRoute]
    private let backends: [String]

    /// Puts the two together.
    init(
        _ configuration: Configuration,
        _ register: (revision: Int64, prices: [String: [PriceTerms: Price]])
    ) {
        revision = register.revision
        routes = configuration.routes.map { $0.priced(register.prices[$0.alias] ?? [:]) }
        backends = configuration.backends.map(\.name)
    }

    /// Enters what the file says anew into the register, and puts the two together. Blocks.
    static func registering(
        _ configuration: Configuration, _ store: PriceStore
    ) throws(LedgerError) -> PricedCatalog {
        let said = Dictionary(configuration.routes.map { ($0.alias, $0.prices) }) { first, _ in
            first
        }
        return PricedCatalog(configuration, try store.register(file: said))
    }

    /// What requests resolve against.
    var catalog: Catalog { Catalog(routes: routes) }

    /// What the ledger must know of before a record uses it.
    var names: CatalogNames {
        CatalogNames(
            models: routes.map(\.alias), backends: backends,
            prices: Dictionary(routes.map { ($0.alias, $0.versions) }) { first, _ in first })
    }
}
