import Postgres

/// The migrator's own table. It has no `shard`: it describes the whole database.
enum MigrationStatements {
    // One number for all migrators of all versions, so that two never work at once. Released with
    // the transaction, whatever happens to the program. Only administration waits for it, never a
    // request.
    static let lock = PostgresStatement(
        name: nil, sql: "SELECT 1 FROM pg_advisory_xact_lock(8389760311845940581)")

    // A migration may take as long as it must; set for the transaction only, so the session keeps
    // its own limits.
    static let unlimited = PostgresStatement(
        name: nil,
        sql: """
            SELECT set_config('statement_timeout', '0', true),
                set_config('idle_in_transaction_session_timeout', '0', true),
                set_config('client_min_messages', 'warning', true)
            """)

    // Made under the lock, so IF NOT EXISTS has no race.
    static let makeTable = PostgresStatement(
        name: nil,
        sql: """
            CREATE TABLE IF NOT EXISTS schema_migration (
                number int4 NOT NULL PRIMARY KEY CHECK (number > 0),
                name text NOT NULL,
                checksum bytea NOT NULL CHECK (octet_length(checksum) = 32),
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """)

    // Whether a migrator was ever here; read-only, for programs that must not change anything.
    static let tableExists = PostgresStatement(
        name: nil, sql: "SELECT to_regclass('schema_migration') IS NOT NULL", isReadOnly: true)

    // What was applied, in order. One row per file.
    static let applied = PostgresStatement(
        name: nil, sql: "SELECT number, name, checksum FROM schema_migration ORDER BY number",
        isReadOnly: true)

    // Remembers a migration in its own transaction and answers how long it took, in microseconds,
    // by the database's clock. The primary key refuses a second time.
    static let record = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)
            RETURNING (extract(epoch FROM statement_timestamp() - now()) * 1000000)::int8
            """)
}
