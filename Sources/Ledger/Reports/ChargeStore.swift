public import Domain
import Postgres

/// Which charges are read.
public struct ChargeQuery: Sendable {
    /// Whose keys, all of one organization.
    public let organization: OrganizationID
    /// The organization itself, one of its teams or one of its keys.
    public let subject: Subject
    /// The model alias that was asked for; nil for all.
    public let model: String?
    /// What they were charged in.
    public let resource: Resource
    /// Requests admitted from this instant on.
    public let since: Timestamp
    /// Requests admitted before this instant.
    public let until: Timestamp

    /// Makes a query.
    public init(
        organization: OrganizationID, subject: Subject, model: String? = nil, resource: Resource,
        since: Timestamp, until: Timestamp
    ) {
        self.organization = organization
        self.subject = subject
        self.model = model
        self.resource = resource
        self.since = since
        self.until = until
    }
}

/// Reads what each request was charged, in the order of their ids, which begin with the time of
/// admission.
public struct ChargeStore {
    /// Records read at once: memory stays the same however long the time is.
    private let page: Int64
    private let connection: PostgresConnection

    /// Reads over `connection`, which belongs to the caller and its thread, so many records at once.
    init(_ connection: PostgresConnection, page: Int64 = 10_000) {
        self.connection = connection
        self.page = page
    }

    /// Calls `body` with the charge and the instant of admission of each request that was charged,
    /// corrections included. In pages, each of its own snapshot: what is settled meanwhile may be
    /// read or not.
    ///
    /// Throws `invalid` when retention dropped records of the time that is asked for.
    public func read(
        _ query: ChargeQuery, _ body: (_ charge: Int64, _ admitted: Timestamp) -> Void
    ) throws(LedgerError) {
        do throws(PostgresError) {
            let dropped = try connection.execute(ChargeStatements.lastDropped(query)).rows.first
            guard let day = try dropped?.optionalDate(0) else {
                return try readPages(query, body)
            }
            throw PostgresError(kind: .invalid(reason: Self.dropped(CalendarDay(rawValue: day))))
        } catch {
            if case .invalid(let reason) = error.kind { throw .invalid(reason) }
            throw LedgerError(error)
        }
    }

    private static func dropped(_ day: CalendarDay) -> String {
        "the records until \(day) were dropped, and only their totals are known: begin at"
            + " \(day.next) or later"
    }

    private func readPages(
        _ query: ChargeQuery, _ body: (Int64, Timestamp) -> Void
    ) throws(PostgresError) {
        var last: (day: Int32, request: UInt128)? = nil
        while true {
            let command = ChargeStatements.page(query, after: last, limit: page)
            let rows = try connection.execute(command, within: AuditStore.patience).rows
            for row in rows {
                body(try row.int8(3), Timestamp(microseconds: try row.timestamp(2)))
            }
            guard rows.count == Int(page), let end = rows.last else { return }
            last = (try end.date(0), try end.uuid(1))
        }
    }
}

/// The statements that read charges.
private enum ChargeStatements {
    // The last day within the time whose records are gone. Primary key.
    private static let lastDropped = PostgresStatement(
        name: nil,
        sql: """
            SELECT max(day) FROM sealed_day WHERE shard = $1 AND dropped_at IS NOT NULL
                AND day >= ($2::timestamptz AT TIME ZONE 'UTC')::date
                AND day < ($3::timestamptz AT TIME ZONE 'UTC')::date + 1
            """, isReadOnly: true)

    // A page of records after the one named last, with what each was charged of the resource. A
    // correction is one for every account of the resource alike. A request belongs to the day it was
    // admitted on; the day after is read too, since the time of admission is an estimate. Primary
    // key of usage, of api_key, of usage_adj and of price_correction.
    private static let page = PostgresStatement(
        name: nil,
        sql: """
            SELECT u.day, u.request_id, u.admitted_at,
                CASE $9::int2 WHEN 1 THEN u.charged WHEN 2 THEN 1 ELSE u.cost_nanousd END
                    + coalesce((SELECT min(j.delta) FROM usage_adj j
                        JOIN account a ON a.shard = j.shard AND a.account_id = j.account_id
                        WHERE j.shard = u.shard AND j.day = u.day
                            AND j.request_id = u.request_id AND a.resource = $9), 0)
                    + CASE WHEN $9 = 3 THEN coalesce((
                        SELECT sum(c.delta_nanousd)::int8 FROM price_correction c
                        WHERE c.shard = u.shard AND c.day = u.day
                            AND c.request_id = u.request_id), 0) ELSE 0 END
            FROM usage u JOIN api_key k ON k.shard = u.shard AND k.key_id = u.key_id
            WHERE u.shard = $1 AND k.organization_id = $2
                AND CASE $3::int2 WHEN 1 THEN $4 = k.organization_id WHEN 2 THEN $4 = k.team_id
                    ELSE $4 = k.subject_id END
                AND u.day >= ($5::timestamptz AT TIME ZONE 'UTC')::date
                AND u.day <= ($6::timestamptz AT TIME ZONE 'UTC')::date + 1
                AND (u.day, u.request_id) > ($7::date, $8::uuid)
                AND u.admitted_at >= $5 AND u.admitted_at < $6 AND u.basis <> 5
                AND ($11::int4 IS NULL OR u.model_id = $11)
            ORDER BY u.day, u.request_id
            LIMIT $10
            """, isReadOnly: true)

    static func lastDropped(_ query: ChargeQuery) -> PostgresCommand {
        PostgresCommand(
            lastDropped,
            [
                .int2(query.organization.shard.rawValue), .timestamp(query.since.microseconds),
                .timestamp(query.until.microseconds),
            ])
    }

    static func page(
        _ query: ChargeQuery, after last: (day: Int32, request: UInt128)?, limit: Int64
    ) -> PostgresCommand {
        PostgresCommand(
            page,
            [
                .int2(query.organization.shard.rawValue), .int8(query.organization.rawValue),
                .int2(query.subject.kind.rawValue), .int8(query.subject.id),
                .timestamp(query.since.microseconds), .timestamp(query.until.microseconds),
                .date(last?.day ?? 0), .uuid(last?.request ?? 0),
                .int2(query.resource.rawValue), .int8(limit),
                query.model.map { .int4(NameNumber.of($0)) } ?? .null,
            ])
    }
}

extension DirectoryStore {
    /// What requests were charged, over the same connection.
    public var charges: ChargeStore { ChargeStore(connection) }
}
