/// What a node is told of its soft quotas.
extension LeaseBook {
    /// A heartbeat is sent, whose answer will tell what is used of soft quotas.
    public mutating func beatSent() {
        for (account, slot) in slots where slot.isSoft { slots[account]?.beatSent() }
    }

    /// The heartbeat brought what is used of the soft quotas that this node holds leases of, by all
    /// nodes.
    public mutating func heardUse(_ used: [AccountID: Int64]) {
        guard !used.isEmpty else { return }
        for (account, slot) in slots {
            guard slot.isSoft, let id = slot.accountID, let units = used[id] else { continue }
            slots[account]?.heardUse(units)
        }
    }
}
