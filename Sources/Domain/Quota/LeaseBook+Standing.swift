/// What a node knows of quotas without asking the ledger.
extension LeaseBook {
    /// What is left of a quota as far as this node knows: its own free units and what the ledger
    /// last had.
    public func remaining(of account: AccountKey) -> Int64? {
        slots[account].map { $0.free + max(0, $0.remaining) }
    }

    /// What is used of a quota as far as this node knows: all that it cannot have any more, but for
    /// what its own open requests hold. What other nodes hold counts as used; of a soft quota, of
    /// which all hold far more than its limit, it is what the ledger said at the last beat and what
    /// this node has settled since, nil before the first.
    public func used(of account: AccountKey, limit: Int64) -> Int64? {
        slots[account].flatMap { slot in
            if slot.isSoft { return slot.knownUse }
            return max(0, limit - slot.free - max(0, slot.remaining) - slot.outstanding)
        }
    }
}
