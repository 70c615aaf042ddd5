import Domain

/// One request on its way: what every step may need beside the request itself.
struct Exchange: Sendable {
    /// Names the request everywhere.
    let requestID: RequestID
    /// When its head had arrived.
    let receivedAt: Uptime
    /// When its head had arrived, for people and for `created`.
    let receivedAtWall: Timestamp
    /// Whether the client still waits.
    let presence: ClientPresence
    /// What is learnt on the way, for the access log.
    let notes: RequestNotes
    /// Its claim on the `Idempotency-Key` that it came with; nil without one.
    var claim: IdempotencyClaim?
    /// Tells the client of a stream that it is to come; nil for anything else.
    var announcement: StreamAnnouncement?
    /// Where work that outlives the request's task runs; nil for anywhere.
    let executor: (any TaskExecutor)?
}
