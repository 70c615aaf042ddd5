import Domain
import Postgres

/// Reads records page by page: whoever exports a month holds one page of it.
enum UsageExportStatements {
    /// Records of a page. A literal of the statement, so that the planner knows how few there are.
    static let pageRows = 5_000

    // For one page, in its transaction: the plan it is written for, whatever the statistics say.
    // Without, a day was sorted for each page of it, 65 times the work.
    private static let settings = PostgresStatement(
        name: "export_settings",
        sql: """
            SELECT set_config('enable_seqscan', 'off', true),
                set_config('enable_bitmapscan', 'off', true),
                set_config('enable_sort', 'off', true),
                set_config('enable_nestloop', 'off', true),
                set_config('enable_mergejoin', 'off', true),
                set_config('max_parallel_workers_per_gather', '0', true),
                set_config('jit', 'off', true)
            """, isReadOnly: true)

    // The records of a day from a request on. Range of the primary key usage (shard, day,
    // request_id) in its order, which is nearly that of the table itself, so that a page reads its
    // own rows and no day is sorted; then their names, and what their prices were corrected to.
    // Bound to one shard and, by its list of keys, to one organization. Without a name, so that it
    // is planned for the day.
    private static let page = PostgresStatement(
        name: nil,
        sql: """
            WITH u AS MATERIALIZED (
                SELECT x.request_id, x.admitted_at, x.settled_at, x.key_id, x.model_id,
                    x.backend_id, x.prompt_tokens, x.cached_tokens, x.cache_write_tokens,
                    x.completion_tokens, x.reasoning_tokens, x.charged, x.overage, x.cost_nanousd,
                    x.price_version, x.basis, x.end_state, x.first_token_us, x.duration_us
                FROM usage x
                WHERE x.shard = $1 AND x.day = $2 AND x.request_id > $3
                    AND x.admitted_at >= $4 AND x.admitted_at < $5 AND x.key_id = ANY ($6)
                ORDER BY x.request_id LIMIT \(pageRows))
            SELECT u.request_id, u.admitted_at, u.settled_at, t.name, u.key_id, k.name,
                coalesce(m.name, '#' || u.model_id), coalesce(b.name, '#' || u.backend_id),
                u.prompt_tokens, u.cached_tokens, u.cache_write_tokens, u.completion_tokens,
                u.reasoning_tokens, u.charged, u.overage, u.cost_nanousd + coalesce((
                    SELECT sum(c.delta_nanousd)::int8 FROM price_correction c
                    WHERE c.shard = $1 AND c.day = $2 AND c.request_id = u.request_id), 0),
                coalesce((
                    SELECT c.price_version FROM price_correction c
                    WHERE c.shard = $1 AND c.day = $2 AND c.request_id = u.request_id
                    ORDER BY c.number DESC LIMIT 1), u.price_version), u.basis, u.end_state, u.first_token_us, u.duration_us,
                (SELECT v.user_hash FROM usage_user v
                    WHERE v.shard = $1 AND v.day = $2 AND v.request_id = u.request_id)
            FROM u
            JOIN api_key k ON k.shard = $1 AND k.key_id = u.key_id
            JOIN team t ON t.shard = $1 AND t.team_id = k.team_id
            LEFT JOIN model m ON m.shard = $1 AND m.model_id = u.model_id
            LEFT JOIN backend b ON b.shard = $1 AND b.backend_id = u.backend_id
            ORDER BY u.request_id
            """, isReadOnly: true)

    // How many records the rollup has of these hours: for a progress bar, and to say what
    // retention has dropped. Range of the primary key usage_hour (shard, hour, …).
    private static let count = PostgresStatement(
        name: nil,
        sql: """
            SELECT coalesce(sum(u.requests + u.failed_requests), 0)::int8
            FROM usage_hour u
            JOIN api_key k ON k.shard = $1 AND k.key_id = u.key_id AND k.organization_id = $2
            WHERE u.shard = $1 AND u.hour >= $3 AND u.hour < $4
                AND ($5::int8 IS NULL OR k.team_id = $5)
                AND ($6::int8 IS NULL OR k.subject_id = (
                    SELECT s.subject_id FROM api_key s WHERE s.shard = $1 AND s.key_id = $6))
                AND k.tags @> $7::text[]
            """, isReadOnly: true)

    /// What to run for a page of an export of these keys; the last result counts.
    static func page(
        _ query: ExportQuery, of keys: [Int64], from position: ExportPosition
    ) -> [PostgresCommand] {
        [
            PostgresCommand(settings, []),
            PostgresCommand(
                page,
                [
                    .int2(query.organization.shard.rawValue), .date(position.day.rawValue),
                    .uuid(position.after.rawValue), .timestamp(query.since.microseconds),
                    .timestamp(query.until.microseconds), .int8s(keys),
                ]),
        ]
    }

    static func count(_ query: ExportQuery) -> PostgresCommand {
        PostgresCommand(
            count,
            [
                .int2(query.organization.shard.rawValue), .int8(query.organization.rawValue),
                .timestamp(query.since.microseconds), .timestamp(query.until.microseconds),
                query.team.map { .int8($0.rawValue) } ?? .null,
                query.key.map { .int8($0.databaseValue) } ?? .null, .texts(query.tags),
            ])
    }

    static func decode(_ row: PostgresRow) throws(PostgresError) -> ExportRecord {
        guard let basis = UsageBasis(rawValue: try row.int2(17)),
            let endState = EndState(rawValue: try row.int2(18))
        else { throw PostgresError(kind: .decoding(reason: "a record has an unknown kind")) }
        var record = ExportRecord(
            requestID: RequestID(rawValue: try row.uuid(0)),
            admittedAt: Timestamp(microseconds: try row.timestamp(1)),
            settledAt: Timestamp(microseconds: try row.timestamp(2)), team: try row.text(3),
            key: KeyID(rawValue: UInt64(bitPattern: try row.int8(4))), keyName: try row.text(5),
            model: try row.text(6), backend: try row.text(7),
            usage: TokenUsage(
                prompt: try row.int8(8), cached: try row.int8(9), cacheWrite: try row.int8(10),
                completion: try row.int8(11), reasoning: try row.int8(12)),
            charged: try row.int8(13), overage: try row.int8(14),
            cost: NanoUSD(rawValue: try row.int8(15)), priceVersion: try row.optionalInt8(16),
            basis: basis, endState: endState,
            timeToFirstToken: try row.optionalInt8(19).map { .microseconds($0) },
            duration: .microseconds(try row.int8(20)))
        record.user = try row.optionalBytes(21).flatMap(UserHash.init(bytes:))
        return record
    }
}

extension ReportStore {
    /// The next records of an export, at most some thousands, so that an export of any length is
    /// made in constant memory. Records are never changed; one that is settled while an export
    /// runs is in it or not.
    public func export(
        _ query: ExportQuery, from position: ExportPosition
    ) throws(LedgerError) -> ExportPage {
        let records: [ExportRecord]
        do throws(PostgresError) {
            let keys = try keys(
                of: query.organization, team: query.team, key: query.key, tags: query.tags)
            let page = UsageExportStatements.page(query, of: keys, from: position)
            records = try pipeline(page).map { row throws(PostgresError) in
                try UsageExportStatements.decode(row)
            }
        } catch {
            throw LedgerError(error)
        }
        if let last = records.last, records.count == UsageExportStatements.pageRows {
            return ExportPage(
                records: records,
                next: ExportPosition(day: position.day, after: last.requestID))
        }
        let next = position.day.next
        return ExportPage(
            records: records,
            next: next.start < query.until
                ? ExportPosition(day: next, after: RequestID(rawValue: 0)) : nil)
    }

    /// How many records there were of the hours of an export, dropped ones included.
    public func exportCount(_ query: ExportQuery) throws(LedgerError) -> Int64 {
        do throws(PostgresError) {
            return try connection.execute(UsageExportStatements.count(query)).rows.first?.int8(0)
                ?? 0
        } catch {
            throw LedgerError(error)
        }
    }
}
