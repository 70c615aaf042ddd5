import Domain

/// The node's own record of what it admitted, delivered and settled, kept on its disk so that a
/// restart can settle exactly.
///
/// Its three calls stand at the gates where they belong: an opening is written before the first
/// byte goes to a backend (G0), progress before bytes go to the client's socket (G2), a settlement
/// before the end is released (G3).
protocol Journal: Sendable {
    func opened(_ opening: Opening)
    func progressed(_ id: RequestID, completionTokens: Int64)
    func closed(_ closing: Closing)
}

/// Keeps nothing. While this is the journal, a node that was killed finds its open requests in the
/// ledger alone and they are settled at their bound: never lost, never under-counted, but not
/// exact.
struct AbsentJournal: Journal {
    func opened(_ opening: Opening) {}
    func progressed(_ id: RequestID, completionTokens: Int64) {}
    func closed(_ closing: Closing) {}
}
