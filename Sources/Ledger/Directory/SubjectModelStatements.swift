import Domain
import Postgres

/// What a subject uses of one model, as a subject of its own: the negative number under which quotas
/// and rate limits of one model, their accounts and their buckets stand.
enum SubjectModelStatements {
    // Gives a number to what a subject uses of a model, unless it has one. After the revision's row;
    // one row by primary key; repeating it changes nothing.
    private static let add = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO subject_model (shard, subject_kind, owner_id, organization_id, model_name,
                subject_id)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (shard, subject_kind, owner_id, model_name) DO NOTHING
            """)

    // That number. Primary key.
    private static let find = PostgresStatement(
        name: nil,
        sql: """
            SELECT m.subject_id FROM subject_model m
            WHERE m.shard = $1 AND m.subject_kind = $2 AND m.owner_id = $3
                AND m.organization_id = $4 AND m.model_name = $5
            """)

    /// The subjects whose allowances apply to `owners`, rows of a kind and an id: they themselves,
    /// and what they use of single models, whose names are told; empty for all models. `$1` is the
    /// shard.
    static func applying(to owners: String) -> String {
        """
        SELECT s.kind, s.id, '' AS model FROM (\(owners)) s (kind, id)
        UNION ALL
        SELECT s.kind, m.subject_id, m.model_name FROM (\(owners)) s (kind, id)
        JOIN subject_model m ON m.shard = $1 AND m.subject_kind = s.kind AND m.owner_id = s.id
        """
    }

    static func add(
        _ model: String, _ owner: AllowanceStatements.Owner, number: Int64
    ) -> PostgresCommand {
        PostgresCommand(
            add, owner.parametersWithOrganization + [.text(model), .int8(number)])
    }

    static func find(_ model: String, _ owner: AllowanceStatements.Owner) -> PostgresCommand {
        PostgresCommand(find, owner.parametersWithOrganization + [.text(model)])
    }

    /// Reads a model's name; empty for all models.
    static func model(_ text: String) -> String? { text.isEmpty ? nil : text }
}
