public import Domain
import Postgres

/// The days of a report whose records retention has dropped. Beyond the records, a UTC day counts
/// as a whole: for the span, the day and the month in which its noon lies.
public struct DroppedDays: Sendable, Hashable {
    /// The first and the last of them.
    public let days: ClosedRange<CalendarDay>
    /// The first and the last of those that were dropped by a program of before there was a place
    /// for it: how their requests ended, and how long they took, nobody knows any more.
    public let unknown: ClosedRange<CalendarDay>?

    /// Makes such days.
    public init(days: ClosedRange<CalendarDay>, unknown: ClosedRange<CalendarDay>?) {
        self.days = days
        self.unknown = unknown
    }
}

/// What is asked about days that were dropped.
enum DroppedDaysStatements {
    /// Whether the noon of the day of a row lies in the span from $2 to $3, with a range of days for
    /// the primary key.
    static func isInSpan(_ row: String) -> String {
        """
        \(row).day >= ($2::timestamptz AT TIME ZONE 'UTC')::date
            AND \(row).day <= ($3::timestamptz AT TIME ZONE 'UTC')::date
            AND (\(row).day + time '12:00') AT TIME ZONE 'UTC' >= $2
            AND (\(row).day + time '12:00') AT TIME ZONE 'UTC' < $3
        """
    }

    // Of the shard, not of the organization: a day is dropped for all. Range of the primary key.
    private static let days = PostgresStatement(
        name: nil,
        sql: """
            SELECT min(d.day), max(d.day), min(d.day) FILTER (WHERE NOT d.has_ends),
                max(d.day) FILTER (WHERE NOT d.has_ends)
            FROM sealed_day d
            WHERE d.shard = $1 AND d.dropped_at IS NOT NULL AND \(isInSpan("d"))
            """, isReadOnly: true)

    // How many days of the span have their records. The list of partitions is short.
    private static let kept = PostgresStatement(
        name: nil,
        sql: """
            SELECT count(*) FROM usage_partition_days() AS day
            WHERE day >= ($1::timestamptz AT TIME ZONE 'UTC')::date
                AND day <= ($2::timestamptz AT TIME ZONE 'UTC')::date
                AND day <= (now() AT TIME ZONE 'UTC')::date
            """, isReadOnly: true)

    /// The span of a query, as parameters.
    static func span(_ query: UsageQuery) -> [PostgresValue] {
        [
            .timestamp(query.since.microseconds),
            .timestamp(query.until?.microseconds ?? .max),
        ]
    }

    static func days(of query: UsageQuery) -> PostgresCommand {
        PostgresCommand(
            days, [.int2(query.organization.shard.rawValue)] + span(query))
    }

    static func kept(of query: UsageQuery) -> PostgresCommand {
        PostgresCommand(kept, span(query))
    }

    static func decode(_ row: PostgresRow) throws(PostgresError) -> DroppedDays? {
        guard let days = try range(row, 0) else { return nil }
        return DroppedDays(days: days, unknown: try range(row, 2))
    }

    private static func range(
        _ row: PostgresRow, _ column: Int
    ) throws(PostgresError) -> ClosedRange<CalendarDay>? {
        guard let first = try row.optionalDate(column), let last = try row.optionalDate(column + 1)
        else { return nil }
        guard first <= last else {
            throw PostgresError(kind: .decoding(reason: "a range of days ends before it begins"))
        }
        return CalendarDay(rawValue: first)...CalendarDay(rawValue: last)
    }
}

extension ReportStore {
    /// The days of the query's span whose records were dropped; nil where all are there.
    public func droppedDays(_ query: UsageQuery) throws(LedgerError) -> DroppedDays? {
        do throws(PostgresError) {
            return try dropped(query)
        } catch {
            throw LedgerError(error)
        }
    }

    func dropped(_ query: UsageQuery) throws(PostgresError) -> DroppedDays? {
        guard
            let row = try connection.execute(DroppedDaysStatements.days(of: query)).rows.first
        else { return nil }
        return try DroppedDaysStatements.decode(row)
    }
}
