import Domain
import Postgres

/// The statements about keys. Each change comes after the revision's row, so that changes of one
/// shard take turns.
enum KeyStatements {
    // Stores a key of a team that exists in this organization. The database's clock says from when
    // on the key is valid, so that no clock difference keeps it out. Primary key.
    static let insert = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO api_key (shard, key_id, organization_id, team_id, subject_id, name, prefix,
                mac, pepper_id, last4, models, default_completion_tokens, always_usage, not_after,
                mirror_reasoning, endpoints, tags, clamps)
            SELECT t.shard, $2, t.organization_id, t.team_id, $5, $6, $7, $8, $9, $10, $11::text[],
                $12::int8, $13, $14::timestamptz, $15, $16::text[], $17::text[], $18
            FROM team t WHERE t.shard = $1 AND t.organization_id = $3 AND t.team_id = $4
                AND t.deleted_at IS NULL
            """)

    // One key with its names. Primary keys.
    static let find = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(KeyRecord.columns) FROM api_key k
            JOIN team t ON t.shard = k.shard AND t.team_id = k.team_id
            JOIN organization o ON o.shard = k.shard AND o.organization_id = k.organization_id
            WHERE k.shard = $1 AND k.key_id = $2 AND k.deleted_at IS NULL
            """, isReadOnly: true)

    // The keys of an organization or of one team. Never of another organization, whose keys may
    // share the shard. Index api_key (shard, team_id).
    static let list = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(KeyRecord.columns) FROM api_key k
            JOIN team t ON t.shard = k.shard AND t.team_id = k.team_id
            JOIN organization o ON o.shard = k.shard AND o.organization_id = k.organization_id
            WHERE k.shard = $1 AND k.organization_id = $2 AND ($3::int8 IS NULL OR k.team_id = $3)
                AND k.deleted_at IS NULL
            ORDER BY t.name COLLATE "C", k.created_at, k.key_id
            """, isReadOnly: true)

    // A page of an organization's keys, or of one team's, in the order of their ids: the primary key
    // (shard, key_id) from the last one's on, of which no more is read than it takes to find so
    // many; keys of other organizations of the shard and what is not asked for are passed over.
    // The names of these few by primary keys. With the settings of ``PageStatements``.
    private static let page = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(KeyRecord.columns) FROM api_key k
            JOIN team t ON t.shard = $1 AND t.team_id = k.team_id
            JOIN organization o ON o.shard = $1 AND o.organization_id = k.organization_id
            WHERE k.shard = $1 AND k.organization_id = $2
                AND ($3::int8 IS NULL OR k.key_id > $3::int8)
                AND ($4::int8 IS NULL OR k.team_id = $4::int8) AND k.deleted_at IS NULL
                AND ($5::int2 = 3 OR (k.revoked_at IS NOT NULL) = ($5::int2 = 2))
                AND ($5::int2 <> 1 OR k.not_after IS NULL OR k.not_after > now())
                AND ($6::int2 IS NULL OR k.pepper_id = $6::int2)
            ORDER BY k.key_id LIMIT $7::int8
            """, isReadOnly: true)

    static func page(
        of organization: OrganizationID, team: TeamID?, _ selection: KeySelection,
        _ page: ListPage<KeyID>
    ) -> PostgresCommand {
        PostgresCommand(
            Self.page,
            [
                .int2(organization.shard.rawValue), .int8(organization.rawValue),
                page.after.map { .int8($0.databaseValue) } ?? .null,
                team.map { .int8($0.rawValue) } ?? .null, .int2(selection.life.rawValue),
                selection.pepper.map(PostgresValue.int2) ?? .null, .int8(Int64(page.limit)),
            ])
    }

    // The secrets of one key. Index api_key (shard, subject_id).
    static let secrets = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(KeyRecord.columns) FROM api_key k
            JOIN team t ON t.shard = k.shard AND t.team_id = k.team_id
            JOIN organization o ON o.shard = k.shard AND o.organization_id = k.organization_id
            WHERE k.shard = $1 AND k.deleted_at IS NULL AND k.subject_id = (SELECT x.subject_id
                FROM api_key x WHERE x.shard = $1 AND x.key_id = $2)
            ORDER BY k.created_at, k.key_id
            """, isReadOnly: true)

    // Revokes once: a key that is revoked keeps its time and its reason. Primary key.
    static let revoke = PostgresStatement(
        name: nil,
        sql: """
            UPDATE api_key SET revoked_at = now(), revoke_reason = $3
            WHERE shard = $1 AND key_id = $2 AND revoked_at IS NULL
            """)

    // Suspends a key with all its secrets, or resumes it; repeating it keeps the first time. Index
    // api_key (shard, subject_id).
    static let suspend = PostgresStatement(
        name: nil,
        sql: """
            UPDATE api_key SET suspended_at = coalesce(suspended_at, now()),
                suspend_reason = coalesce($3, suspend_reason)
            WHERE shard = $1 AND deleted_at IS NULL AND subject_id = (SELECT k.subject_id
                FROM api_key k WHERE k.shard = $1 AND k.key_id = $2)
            """)
    static let resume = PostgresStatement(
        name: nil,
        sql: """
            UPDATE api_key SET suspended_at = NULL, suspend_reason = NULL
            WHERE shard = $1 AND suspended_at IS NOT NULL AND subject_id = (SELECT k.subject_id
                FROM api_key k WHERE k.shard = $1 AND k.key_id = $2)
            """)

    // Gives a key with all its secrets another name. As above.
    static let rename = PostgresStatement(
        name: nil,
        sql: """
            UPDATE api_key SET name = $3
            WHERE shard = $1 AND deleted_at IS NULL AND subject_id = (SELECT k.subject_id
                FROM api_key k WHERE k.shard = $1 AND k.key_id = $2)
            """)

    // Gives a key with all its secrets other terms. The expiry of a secret that was replaced is the
    // end of its grace, and is only ever brought forward. As above.
    static let change = PostgresStatement(
        name: nil,
        sql: """
            UPDATE api_key SET models = $3::text[], default_completion_tokens = $4::int8,
                always_usage = $5, not_after = CASE WHEN replaced_by IS NULL THEN $6::timestamptz
                    ELSE least(not_after, $6::timestamptz) END,
                mirror_reasoning = $7, endpoints = $8::text[], tags = $9::text[], clamps = $10
            WHERE shard = $1 AND deleted_at IS NULL AND subject_id = (SELECT k.subject_id
                FROM api_key k WHERE k.shard = $1 AND k.key_id = $2)
            """)

    // Deletes a key with all its secrets: they are revoked and no longer shown. Its rows stay, since
    // usage records refer to them. As above.
    static let delete = PostgresStatement(
        name: nil,
        sql: """
            UPDATE api_key SET revoked_at = coalesce(revoked_at, now()), deleted_at = now()
            WHERE shard = $1 AND deleted_at IS NULL AND subject_id = (SELECT k.subject_id
                FROM api_key k WHERE k.shard = $1 AND k.key_id = $2)
            """)

    // How many secrets of a key may still be used, now or later. As above.
    static let countLive = PostgresStatement(
        name: nil,
        sql: """
            SELECT count(*) FROM api_key
            WHERE shard = $1 AND revoked_at IS NULL AND (not_after IS NULL OR not_after > now())
                AND subject_id = (SELECT k.subject_id
                    FROM api_key k WHERE k.shard = $1 AND k.key_id = $2)
            """, isReadOnly: true)

    // Stores a second secret of a key: everything but the secret is the first one's. Primary key.
    static let succeed = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO api_key (shard, key_id, organization_id, team_id, subject_id, name, prefix,
                mac, pepper_id, last4, models, default_completion_tokens, always_usage, not_after,
                mirror_reasoning, endpoints, tags, clamps, not_before)
            SELECT k.shard, $3, k.organization_id, k.team_id, k.subject_id, k.name, k.prefix, $4,
                $5, $6, k.models, k.default_completion_tokens, k.always_usage, k.not_after,
                k.mirror_reasoning, k.endpoints, k.tags, k.clamps, greatest(k.not_before, now())
            FROM api_key k WHERE k.shard = $1 AND k.key_id = $2
            """)

    // Lets a secret end when its grace does, or when it would have ended sooner. Primary key.
    static let retire = PostgresStatement(
        name: nil,
        sql: """
            UPDATE api_key SET replaced_by = $3,
                not_after = least(not_after, now() + $4::int8 * interval '1 microsecond')
            WHERE shard = $1 AND key_id = $2
            """)

    // Ends the secrets of a key that were replaced and still live. Index api_key (shard,
    // subject_id).
    static let finish = PostgresStatement(
        name: nil,
        sql: """
            UPDATE api_key SET revoked_at = now(), revoke_reason = 'rotated'
            WHERE shard = $1 AND revoked_at IS NULL AND replaced_by IS NOT NULL
                AND (not_after IS NULL OR not_after > now()) AND subject_id = (SELECT k.subject_id
                    FROM api_key k WHERE k.shard = $1 AND k.key_id = $2)
            RETURNING key_id
            """)

    /// A statement about one key: its shard and id, then the rest.
    static func command(
        _ statement: PostgresStatement, _ id: KeyID, _ more: [PostgresValue] = []
    ) -> PostgresCommand {
        PostgresCommand(
            statement, [.int2(id.shard.rawValue), .int8(id.databaseValue)] + more)
    }
}
