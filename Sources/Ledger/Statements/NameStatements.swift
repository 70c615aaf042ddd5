import Domain
import Postgres

/// The names behind the numbers in ledger rows, written once when a lane opens.
enum NameStatements {
    // Writes a model's name, or leaves the one that is there, and answers what stands there then.
    // Primary key.
    private static let model = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO model (shard, model_id, name) VALUES ($1, $2, $3)
            ON CONFLICT (shard, model_id) DO UPDATE SET name = model.name RETURNING name
            """)

    // As for models.
    private static let backend = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO backend (shard, backend_id, name) VALUES ($1, $2, $3)
            ON CONFLICT (shard, backend_id) DO UPDATE SET name = backend.name RETURNING name
            """)

    // Writes a price version. A version's amounts never change, so one that is there is left alone.
    // Primary key.
    private static let price = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO price (shard, price_version, model_id, prompt_nanousd, cached_nanousd,
                cache_write_nanousd, completion_nanousd, audio_prompt_nanousd,
                audio_completion_nanousd, fee_nanousd)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (shard, price_version) DO NOTHING
            """)

    static func model(_ shard: Int16, _ name: String) -> PostgresCommand {
        PostgresCommand(model, [.int2(shard), .int4(NameNumber.of(name)), .text(name)])
    }

    static func backend(_ shard: Int16, _ name: String) -> PostgresCommand {
        PostgresCommand(backend, [.int2(shard), .int4(NameNumber.of(name)), .text(name)])
    }

    static func price(_ shard: Int16, _ model: String, _ price: Price) -> PostgresCommand {
        PostgresCommand(
            self.price,
            [
                .int2(shard), .int8(price.version), .int4(NameNumber.of(model)),
                .int8(price.prompt.rawValue), .int8(price.cached.rawValue),
                .int8(price.cacheWrite.rawValue), .int8(price.completion.rawValue),
                price.audioPrompt.map { .int8($0.rawValue) } ?? .null,
                price.audioCompletion.map { .int8($0.rawValue) } ?? .null,
                .int8(price.fee.rawValue),
            ])
    }
}
