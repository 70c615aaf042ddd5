/// What a variant of the protocol does, and which faults it must bear.
///
/// The model is that of `ledger_model.py` of the design: a request's bound is two units, the
/// account's limit four, and every fault may come between any two steps.
struct ModelOptions: Sendable {
    /// Whether opens and closes are on the standby before they are acknowledged.
    var isSynchronous = true
    /// Whether closes alone may be lost by a failover.
    var closesAsynchronously = false
    /// Whether bytes may go out before the ledger accepted the opening: outage mode.
    var rides = false
    /// Whether a dead node's free units wait for its journal, or an operator's word.
    var reclaimsOnConfirmation = false
    /// Whether a sweep settles at the bound; otherwise it voids.
    var expiryCharges = true
    /// Whether the first byte and the end wait for the ledger at all.
    var hasGates = true
    /// Whether the end is released once the local journal has the close.
    var releasesEndEarly = false
    /// Whether a batch is refused when its lane was fenced.
    var checksEpoch = true

    var nodes = 2
    /// Requests that each node ever admits; at most two.
    var requests = 1
    var kills = 1
    var sweeps = 1
    var failovers = 1
    var diskLosses = 1
    var lostGrants = 1

    /// The account's limit, in units.
    static let limit = 4
    /// A request's bound, in units.
    static let bound = 2

    /// The usual scope, changed by `change`.
    init(_ change: (inout ModelOptions) -> Void = { _ in }) { change(&self) }
}

/// A promise of the design does not hold in a state.
struct ModelViolation: Error, Equatable {
    let text: String
}
