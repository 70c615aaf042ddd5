import Domain

/// A closing on its way to the ledger.
struct Closing: Sendable {
    let requestID: RequestID
    let claims: Claims
    let charge: Charge
    let settlement: Settlement
    let admittedAt: Timestamp
    /// Where it is counted; nil where nobody needs to know.
    var rollup: RollupRow?
}
