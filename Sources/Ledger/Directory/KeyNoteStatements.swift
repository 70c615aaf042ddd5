import Domain
import Postgres

/// The two statements that tell the directory what a gateway learnt about keys. Neither is a change
/// of who may call, so neither raises the shard's revision.
enum KeyNoteStatements {
    // Notes when keys were last used; a later time of another gateway stays. Rows in the order of
    // the primary key, so that two gateways queue.
    private static let uses = PostgresStatement(
        name: "directory_note_uses",
        sql: """
            INSERT INTO key_use (shard, key_id, used_at)
            SELECT $1, x.key_id, x.at FROM unnest($2::int8[], $3::timestamptz[]) AS x(key_id, at)
            ORDER BY x.key_id
            ON CONFLICT (shard, key_id)
            DO UPDATE SET used_at = greatest(key_use.used_at, EXCLUDED.used_at)
            """)

    // Puts digests under the current pepper in the place of those that were just compared with, and
    // leaves alone what is another by now. One gateway's digest is as good as another's, so
    // repeating it changes nothing. Primary key.
    private static let moves = PostgresStatement(
        name: "directory_move_digests",
        sql: """
            UPDATE api_key SET mac = x.new, pepper_id = $2
            FROM unnest($3::int8[], $4::bytea[], $5::bytea[]) AS x(key_id, old, new)
            WHERE api_key.shard = $1 AND api_key.key_id = ANY ($3) AND api_key.key_id = x.key_id
                AND api_key.mac = x.old
            """)

    static func note(_ uses: [(key: KeyID, at: Timestamp)], _ shard: Shard) -> PostgresCommand {
        PostgresCommand(
            self.uses,
            [
                .int2(shard.rawValue), .int8s(uses.map(\.key.databaseValue)),
                .timestamps(uses.map(\.at.microseconds)),
            ])
    }

    static func move(_ moves: [PepperMove], to pepper: Int16, _ shard: Shard) -> PostgresCommand {
        PostgresCommand(
            self.moves,
            [
                .int2(shard.rawValue), .int2(pepper), .int8s(moves.map(\.key.databaseValue)),
                .bytesArray(moves.map(\.old)), .bytesArray(moves.map(\.new)),
            ])
    }
}
