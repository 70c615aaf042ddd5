import Domain
import Postgres

/// How long the requests of a group took.
public struct LatencyRow: Sendable, Hashable {
    /// The times within which half, 95 and 99 of a hundred requests had come so far.
    public struct Percentiles: Sendable, Hashable {
        /// Of 50 of a hundred.
        public let p50: Duration
        /// Of 95.
        public let p95: Duration
        /// Of 99.
        public let p99: Duration

        /// Makes percentiles.
        public init(p50: Duration, p95: Duration, p99: Duration) {
            self.p50 = p50
            self.p95 = p95
            self.p99 = p99
        }
    }

    /// What the row stands for.
    public let group: UsageRow.Group
    /// The requests that it is about.
    public let requests: Int64
    /// From admission to the first token; nil where no request had one.
    public let firstToken: Percentiles?
    /// From admission to the end.
    public let duration: Percentiles?
    /// Whether some of its requests are known by their histogram alone: then each time is at most
    /// ``LatencyHistogram/errorPermille`` off. Else each is a time that a request really took.
    public let isApproximate: Bool

    /// Makes a row.
    public init(
        group: UsageRow.Group, requests: Int64, firstToken: Percentiles?, duration: Percentiles?,
        isApproximate: Bool
    ) {
        self.group = group
        self.requests = requests
        self.firstToken = firstToken
        self.duration = duration
        self.isApproximate = isApproximate
    }
}

/// How long requests took, and what of the span is no longer known by the records.
public struct LatencyReport: Sendable, Hashable {
    /// By day and month in order of time, else the most requests first.
    public let rows: [LatencyRow]
    /// The days whose records were dropped; nil where all are there.
    public let dropped: DroppedDays?

    /// Makes a report.
    public init(rows: [LatencyRow], dropped: DroppedDays?) {
        self.rows = rows
        self.dropped = dropped
    }

    /// Puts the rows of groups that reach beyond the records in place of what the records alone say
    /// of them.
    static func combine(
        exact: [LatencyRow], approximate: [LatencyRow]
    ) -> [LatencyRow] {
        let replaced = Set(approximate.map(\.group))
        let rows = exact.filter { !replaced.contains($0.group) } + approximate
        // Equal ones stay in the order in which the ledger told them.
        return rows.enumerated().sorted { left, right in
            switch (left.element.group, right.element.group) {
            case (.day(let first), .day(let second)), (.month(let first), .month(let second)):
                first < second
            default:
                (-left.element.requests, left.offset) < (-right.element.requests, right.offset)
            }
        }.map(\.element)
    }
}

extension ReportStore {
    /// The records of so many days are read at most.
    public static let mostDaysOfRecords: Int64 = 100

    /// How long requests took: exactly, from their records, where those are kept; beyond, by the
    /// histograms that retention leaves, and so told. Reads every record that there is of the span.
    /// Days and months are those of the time zone `zone`, by its name in the IANA database, where an
    /// hour of UTC counts for the day in which it begins, and beyond the records as ``DroppedDays``
    /// says.
    ///
    /// Only what was charged and measured counts: not what came to nothing, nor what a sweep or a
    /// recovery settled, of which nobody saw the end. Throws `invalid` when there are more than
    /// `mostRows` rows, or records of more than `mostDaysOfRecords` days, and when single hours are
    /// asked for beyond the records.
    public func latency(
        _ query: UsageQuery, in zone: String
    ) throws(LedgerError) -> LatencyReport {
        guard try daysOfRecords(query) <= Self.mostDaysOfRecords else {
            throw .invalid(
                "every record of the span would be read: ask for \(Self.mostDaysOfRecords) days at "
                    + "most, or let retention drop old ones, whose times stay known")
        }
        let report: LatencyReport
        do throws(PostgresError) {
            // A snapshot for each statement, whatever the database's habit: the first one holds the
            // records of the span until the end, so that retention drops no day between that one
            // and the next, and each statement knows a day either by its records or by its seal.
            report = try connection.transaction(.readOnly) { _ throws(PostgresError) in
                try read(query, in: zone)
            }
        } catch {
            throw LedgerError(error)
        }
        if query.grouping == .hour, let dropped = report.dropped {
            throw .invalid(
                "hours are known where records are kept: ask by day, or for the time since "
                    + "\(dropped.days.upperBound.next)")
        }
        guard report.rows.count <= Self.mostRows else {
            throw .invalid("the report has more than \(Self.mostRows) rows: ask for a shorter time")
        }
        return report
    }

    private func daysOfRecords(_ query: UsageQuery) throws(LedgerError) -> Int64 {
        do throws(PostgresError) {
            return try connection.execute(DroppedDaysStatements.kept(of: query)).rows.first?
                .int8(0) ?? 0
        } catch {
            throw LedgerError(error)
        }
    }

    private func read(
        _ query: UsageQuery, in zone: String
    ) throws(PostgresError) -> LatencyReport {
        let keys = try keys(
            of: query.organization, team: query.team, key: query.key, tags: query.tags)
        let most = Int64(Self.mostRows) + 1
        let exact = try pipeline(
            LatencyStatement.report(query, of: keys, in: zone, mostRows: most)
        ).map { row throws(PostgresError) in try LatencyStatement.decode(row, query.grouping) }
        let dropped = try dropped(query)
        if dropped == nil || query.grouping == .hour {
            return LatencyReport(rows: exact, dropped: dropped)
        }
        let approximate = try pipeline(
            SealedLatencyStatement.report(query, of: keys, in: zone, mostRows: most)
        ).map { row throws(PostgresError) in
            try SealedLatencyStatement.decode(row, query.grouping)
        }
        return LatencyReport(
            rows: LatencyReport.combine(exact: exact, approximate: approximate), dropped: dropped)
    }
}
