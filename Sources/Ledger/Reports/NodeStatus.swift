public import Domain

/// A node as its lanes, leases and open requests in the ledger tell it.
public struct NodeStatus: Sendable, Hashable {
    /// Whether a node is at work, as far as the ledger can know.
    public enum State: String, Sendable, CaseIterable {
        /// It beats.
        case live
        /// It has not beaten for ``NodeStore/silentAfter``, and nobody has fenced it yet.
        case silent
        /// Nothing of it is accepted any more: it stopped, or another node found it dead.
        case fenced
    }

    /// The node's number.
    public let node: Int64
    /// The shards that it has a lane in.
    public let shards: [Shard]
    /// Whether it is at work.
    public let state: State
    /// When any of its lanes last moved.
    public let lastBeat: Timestamp
    /// How long ago that was by the ledger's clock.
    public let silence: Duration
    /// Its requests that are neither settled nor swept.
    public let openRequests: Int64
    /// Its leases. Those of a node that is not live wait for a sweep, or are kept for its journal.
    public let leases: Int64
    /// What is free in these leases, by resource; resources without any are left out.
    public let leased: [Resource: Int64]

    /// Makes a status.
    public init(
        node: Int64, shards: [Shard], state: State, lastBeat: Timestamp, silence: Duration,
        openRequests: Int64, leases: Int64, leased: [Resource: Int64]
    ) {
        self.node = node
        self.shards = shards
        self.state = state
        self.lastBeat = lastBeat
        self.silence = silence
        self.openRequests = openRequests
        self.leases = leases
        self.leased = leased
    }
}

/// What came of the wish to write a node off.
public enum WriteOff: Sendable, Hashable {
    /// Nothing is held for the node any more.
    case done(Returned)
    /// The node beat so long ago: it may be at work, or ride out an outage. Nothing was given back
    /// that it could still use.
    case mayBeAlive(silence: Duration)

    /// What a write-off did.
    public struct Returned: Sendable, Hashable {
        /// Open requests that were settled at their bound.
        public var sweptRequests: Int64 = 0
        /// Leases that were ended.
        public var leases: Int64 = 0
        /// What was free in them and is with the accounts again, by resource.
        public var units: [Resource: Int64] = [:]

        /// Nothing.
        public init() {}
    }
}
