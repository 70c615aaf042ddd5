import Domain
import Postgres

/// The statements about the register of prices, which stands in shard 0 (`$1`): models are of no
/// organization.
enum PriceStatements {
    /// Where the register stands.
    static let shard = Shard(rawValue: 0)

    /// A version's amounts, from `p`, beginning at the column of its number.
    static let amounts = """
        p.price_version, p.prompt_nanousd, p.cached_nanousd, p.cache_write_nanousd,
        p.completion_nanousd, p.audio_prompt_nanousd, p.audio_completion_nanousd, p.fee_nanousd
        """

    // The revision that every change of the register raises. Primary key.
    static let revision = PostgresStatement(
        name: "prices_revision",
        sql: "SELECT revision FROM directory_revision WHERE shard = $1", isReadOnly: true)

    // Models by name, as gateways have told them. Range of the primary key, of which there are few.
    static let models = PostgresStatement(
        name: nil,
        sql: "SELECT name FROM model WHERE shard = $1 ORDER BY name", isReadOnly: true)

    // The newest change of each model and terms: what is in force. Range of the primary key of
    // price_change, in its order; model and price by theirs.
    static let inForce = PostgresStatement(
        name: nil,
        sql: """
            SELECT DISTINCT ON (c.model_id, c.terms) m.name, c.terms, c.at, c.source, c.set_by,
                \(amounts)
            FROM price_change c
            JOIN model m ON m.shard = $1 AND m.model_id = c.model_id
            LEFT JOIN price p ON p.shard = $1 AND p.price_version = c.price_version
            WHERE c.shard = $1
            ORDER BY c.model_id, c.terms, c.at DESC
            """, isReadOnly: true)

    // The same of what the files of gateways have said, whatever an administrator said since.
    static let ofFiles = PostgresStatement(
        name: nil,
        sql: """
            SELECT DISTINCT ON (c.model_id, c.terms) m.name, c.terms, c.at, c.source, c.set_by,
                \(amounts)
            FROM price_change c
            JOIN model m ON m.shard = $1 AND m.model_id = c.model_id
            LEFT JOIN price p ON p.shard = $1 AND p.price_version = c.price_version
            WHERE c.shard = $1 AND c.source = 1
            ORDER BY c.model_id, c.terms, c.at DESC
            """, isReadOnly: true)

    // Every change of one model, the newest first. Range of the primary key.
    static let history = PostgresStatement(
        name: nil,
        sql: """
            SELECT m.name, c.terms, c.at, c.source, c.set_by, \(amounts)
            FROM price_change c
            JOIN model m ON m.shard = $1 AND m.model_id = c.model_id
            LEFT JOIN price p ON p.shard = $1 AND p.price_version = c.price_version
            WHERE c.shard = $1 AND c.model_id = $2
            ORDER BY c.at DESC, c.terms LIMIT 1000
            """, isReadOnly: true)

    // Appends a change, which comes into force with the commit. Its instant is after those of all
    // changes before it, whatever the clock says and whichever transaction began first: they take
    // turns at the revision's row. Primary key.
    static let append = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO price_change (shard, model_id, terms, at, price_version, source, set_by)
            SELECT $1, $2, $3, greatest(now(), (SELECT max(c.at) + interval '1 microsecond'
                FROM price_change c
                WHERE c.shard = $1 AND c.model_id = $2 AND c.terms = $3)), $4, $5, $6
            RETURNING at
            """)

    // A version by its number, with its model's. Primary key.
    static let version = PostgresStatement(
        name: nil,
        sql: """
            SELECT p.model_id, \(amounts) FROM price p
            WHERE p.shard = $1 AND p.price_version = $2
            """, isReadOnly: true)

    /// Reads a version from the columns of ``amounts``; nil where there is none.
    static func price(_ row: PostgresRow, at column: Int) throws(PostgresError) -> Price? {
        guard let version = try row.optionalInt8(column) else { return nil }
        let amounts = [
            try row.int8(column + 1), try row.int8(column + 2), try row.int8(column + 3),
            try row.int8(column + 4), try row.optionalInt8(column + 5) ?? 0,
            try row.optionalInt8(column + 6) ?? 0, try row.int8(column + 7),
        ]
        guard amounts.allSatisfy({ $0 >= 0 }) else {
            throw PostgresError(kind: .decoding(reason: "a price is negative"))
        }
        let plain = Price(
            version: version, prompt: NanoUSD(rawValue: amounts[0]),
            cached: NanoUSD(rawValue: amounts[1]), cacheWrite: NanoUSD(rawValue: amounts[2]),
            completion: NanoUSD(rawValue: amounts[3]))
        return .written(
            plain, fee: NanoUSD(rawValue: amounts[6]),
            audioPrompt: try row.optionalInt8(column + 5).map(NanoUSD.init(rawValue:)),
            audioCompletion: try row.optionalInt8(column + 6).map(NanoUSD.init(rawValue:)))
    }
}
