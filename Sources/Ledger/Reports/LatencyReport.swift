import Domain
import Postgres

/// How long the requests of a group took.
public struct LatencyRow: Sendable, Hashable {
    /// The times within which half, 95 and 99 of a hundred requests had come so far: each a time
    /// that a request really took.
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

    /// Makes a row.
    public init(
        group: UsageRow.Group, requests: Int64, firstToken: Percentiles?, duration: Percentiles?
    ) {
        self.group = group
        self.requests = requests
        self.firstToken = firstToken
        self.duration = duration
    }
}

extension ReportStore {
    /// How long requests took, exactly, from their records: as far back as those are kept. Reads
    /// every record of the span. Days and months are those of the time zone `zone`, by its name in
    /// the IANA database, where an hour of UTC counts for the day in which it begins.
    ///
    /// Only what was charged and measured counts: not what came to nothing, nor what a sweep or a
    /// recovery settled, of which nobody saw the end. Throws `invalid` when there are more than
    /// `mostRows` rows.
    public func latency(
        _ query: UsageQuery, in zone: String
    ) throws(LedgerError) -> [LatencyRow] {
        let rows: [LatencyRow]
        do throws(PostgresError) {
            let keys = try keys(
                of: query.organization, team: query.team, key: query.key, tags: query.tags)
            let report = LatencyStatement.report(
                query, of: keys, in: zone, mostRows: Int64(Self.mostRows) + 1)
            rows = try pipeline(report).map { row throws(PostgresError) in
                try LatencyStatement.decode(row, query.grouping)
            }
        } catch {
            throw LedgerError(error)
        }
        guard rows.count <= Self.mostRows else {
            throw .invalid("the report has more than \(Self.mostRows) rows: ask for a shorter time")
        }
        return rows
    }
}
