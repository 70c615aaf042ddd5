public import Domain

/// How a node works with its ledger. The defaults are for a ledger in the same data centre.
public struct LedgerSettings: Sendable {
    /// Postgres, as a libpq connection URI.
    public var databaseURL: String
    /// The node's folder: its identity, its lock, its journal.
    public var dataDirectory: String
    /// Names in the catalog, so that their numbers are in the ledger before the first record that
    /// uses them.
    public var models: [String]
    /// Likewise for backends.
    public var backends: [String]
    /// Prices in force, by model alias: of a model with service tiers one for each.
    public var prices: [String: [Price]]
    /// How long a request waits for a lease, and for the ledger to accept its opening, before 503;
    /// and for cells of its rate limits, before it passes by this node's part of them.
    public var acceptanceWait: Duration = .seconds(1)
    /// How long an answer's end is held for the ledger's word; then the disk's is enough, since the
    /// ledger has the opening.
    public var settlementWait: Duration = .milliseconds(250)
    /// How long the ledger may be silent before quotas that may ride out an outage do.
    public var rideAfter: Duration = .milliseconds(250)
    /// How long they may, counted from the last time that the ledger knew this node alive.
    public var rideFor: Duration = .seconds(60)
    /// The most that running requests of one key may hold of a team's or organization's quota, in
    /// per cent of its limit; 100 lets one key hold all of it.
    public var keySharePercent: Int64 = 50
    /// At which parts of a quota answers carry a warning, and events are noted.
    public var thresholds = QuotaThresholds.usual
    /// How long events are kept.
    public var eventRetention = EventRetention.usual
    /// How often accounts that this node has charged are compared with them.
    var noteEvery: Duration = .seconds(1)
    /// How often all accounts of running periods are.
    var reviewEvery: Duration = .seconds(60)
    /// How often the node looks for waits whose time is up.
    var tick: Duration = .milliseconds(25)
    /// How often lanes beat.
    public var heartbeat: Duration = .seconds(1)
    /// After how long a silent lane is fenced and swept.
    public var fenceAfter: Duration = .seconds(15)
    /// How often the node looks for lanes to sweep.
    public var sweepEvery: Duration = .seconds(5)
    /// How long a stopping node waits for open requests and leases.
    public var drainWait: Duration = .seconds(10)
    /// Rows that may wait for a ledger that answers before admission is refused.
    public var backlogLimit = 20_000
    /// Rows that may wait for one that is away: about 100 MB, or a minute of 1,500 requests a
    /// second.
    public var outageBacklogLimit = 200_000
    /// The most openings, and the most closings, of one batch.
    public var batchLimit = 256
    /// How long the journal can repeat what the ledger confirmed: longer than a failover to a server
    /// that lags can take back.
    public var journalKeptFor: Duration = .seconds(900)
    /// Whether to go on with a ledger that has forgotten batches this node's journal has confirmed.
    public var acceptsOlderLedger = false
    /// Whether database sessions are this node's alone, so that they keep prepared statements and
    /// settings; false behind a pooler that shares them. Nil finds out at each connection.
    public var usesPreparedStatements: Bool?

    /// How long a ledger that answers nothing is only slow.
    var longestSilence: Duration { max(heartbeat * 3, acceptanceWait) }

    /// Makes settings with the defaults.
    public init(
        databaseURL: String, dataDirectory: String, models: [String], backends: [String],
        prices: [String: [Price]]
    ) {
        self.databaseURL = databaseURL
        self.dataDirectory = dataDirectory
        self.models = models
        self.backends = backends
        self.prices = prices
    }
}
