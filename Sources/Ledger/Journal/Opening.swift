import Domain

/// An opening on its way to the ledger.
struct Opening: Sendable {
    let requestID: RequestID
    let key: KeyID
    let modelNumber: Int32
    let backendNumber: Int32
    let price: Price?
    let bound: TokenBound
    let claims: Claims
    let admittedAt: Timestamp
    /// For which of its own users the client asks; nil where it does not say, as most do not.
    var user: UserHash?
    /// Whether it went on without the ledger's word: the ledger then takes it in any case.
    var rode = false

    /// The most the request can cost, in nano-dollars: what a sweep would record.
    var costBound: Int64 { price?.highestCost(within: bound).rawValue ?? 0 }
}
