extension LeaseBook {
    /// One account a request is subject to, and what it needs of it.
    public struct Demand: Sendable, Hashable {
        /// The account asked of.
        public let account: AccountKey
        /// The quota's limit as the directory says.
        public let limit: Int64
        /// Tokens, requests or nano-dollars needed.
        public let units: Int64
        /// Whether the quota lets the node go on while the ledger is away.
        public let rides: Bool
        /// Whether the quota only warns: see ``LeaseSlot/softSlice``.
        public let isSoft: Bool

        /// Makes a demand.
        public init(
            account: AccountKey, limit: Int64, units: Int64, rides: Bool = true,
            isSoft: Bool = false
        ) {
            self.account = account
            self.limit = limit
            self.units = units
            self.rides = rides
            self.isSoft = isSoft
        }

        /// Whether no state of the ledger would let it pass.
        var isOversized: Bool { !isSoft && units > limit }
    }
}
