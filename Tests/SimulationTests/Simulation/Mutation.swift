/// One thing done wrong, to see that it is found out: in the ledger's statements, in the order of
/// the gateway's gates, on the disk, or in the installation.
///
/// The failing variants of the design's model are among them, under their letters.
enum Mutation: String, CaseIterable, Sendable {
    // The ledger's statements.
    case batchWithoutFence, batchOfFencedLane
    /// H1.
    case batchOfAnyEpoch
    case batchTwice, settlementKeepsReservation, teamLeaseForgotten, growthPastTheLimit
    case foldWithoutAccount, lateRecordTwice, sweepWithoutRollup
    /// F1 and F2.
    case sweepVoids
    /// D1: leases that ride are released although their node may have spent them.
    case reclaimAtOnce
    case fenceWithoutEffect
    /// A promoted server grants what it does not know to be granted.
    case grantsUnconfirmed

    // The gateway.
    /// G1 and G2.
    case firstByteBeforeAcceptance
    /// A6: the client sees the end before the settlement is kept anywhere.
    case endBeforeSettlement
    case progressAfterDelivery, departureUnsettled, dispatchBeforeAdmission

    // The disk.
    case journalAfterDispatch, journalWithoutProgress, outageWithoutFlush
    case powerLossUnnoticed

    // The installation.
    /// B1: a failover loses what was acknowledged.
    case asynchronousFailover
    /// A3: the same for settlements alone, with a journal that does not tell them again.
    case asynchronousSettlements
}
