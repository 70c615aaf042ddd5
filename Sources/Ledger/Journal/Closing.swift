import Domain

/// A closing on its way to the ledger.
struct Closing: Sendable {
    let requestID: RequestID
    let claims: Claims
    let charge: Charge
    let settlement: Settlement
    let admittedAt: Timestamp
}
