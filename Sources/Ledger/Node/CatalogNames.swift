public import Domain
import Postgres
import Synchronization

/// What stands behind the numbers in ledger rows: the names of models and backends, and the amounts
/// of price versions. A shard has them before its first record that uses them.
public struct CatalogNames: Sendable {
    /// Names of models.
    public var models: [String]
    /// Names of backends.
    public var backends: [String]
    /// Prices in force, by model: the usual one, and those of its service tiers.
    public var prices: [String: [Price]]

    /// Makes a list of names.
    public init(models: [String], backends: [String], prices: [String: [Price]]) {
        self.models = models
        self.backends = backends
        self.prices = prices
    }

    /// Writes what a shard does not have. Throws `invalid` when a name has the number of another.
    func write(_ connection: any LedgerConnection, shard: Int16) throws(PostgresError) {
        for model in models {
            try Self.expect(model, in: try connection.execute(NameStatements.model(shard, model)))
        }
        for backend in backends {
            try Self.expect(
                backend, in: try connection.execute(NameStatements.backend(shard, backend)))
        }
        for (model, prices) in prices.sorted(by: { $0.key < $1.key }) {
            for price in prices {
                _ = try connection.execute(NameStatements.price(shard, model, price))
            }
        }
    }

    private static func expect(_ name: String, in result: PostgresResult) throws(PostgresError) {
        guard let row = result.rows.first, try row.text(0) == name else {
            throw PostgresError(
                kind: .invalid(reason: "the name \(name) has the number of another name; rename it")
            )
        }
    }
}

/// The names that lanes which are opened from now on write.
final class NameBook: Sendable {
    private let names: Mutex<CatalogNames>

    init(_ names: CatalogNames) { self.names = Mutex(names) }

    /// The names now.
    var current: CatalogNames { names.withLock { $0 } }

    /// Other names from now on.
    func replace(with names: CatalogNames) { self.names.withLock { $0 = names } }
}
