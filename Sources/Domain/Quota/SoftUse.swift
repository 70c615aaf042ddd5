/// What one node knows to be used of a soft quota, by all nodes. A part of ``LeaseSlot``.
///
/// The ledger tells it at each beat. What this node has settled while the beat was under way may be in
/// the answer or not, so the truth lies between two numbers; what was told before is kept within them,
/// so that nothing that this node has settled ever seems to be unused again.
struct SoftUse: Sendable {
    /// Settled by this node since it looks.
    private var own: Int64 = 0
    private var ownWhenSent: Int64 = 0
    private var told: (used: Int64, own: Int64)?

    /// Nil before the first answer.
    var known: Int64? { told.map { $0.used + own - $0.own } }

    /// This node has settled so much.
    mutating func charged(_ units: Int64) { own += units }

    /// A beat is sent.
    mutating func beatSent() { ownWhenSent = own }

    /// Its answer: what the ledger had settled.
    mutating func heard(_ used: Int64) {
        let most = used + own - ownWhenSent
        told = (known.map { min(max($0, used), most) } ?? used, own)
    }
}
