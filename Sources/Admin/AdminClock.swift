/// How a running command sees time pass. The ledger's clock, by which everything is dated, is asked
/// of the ledger.
struct AdminClock: Sendable {
    /// The time since a moment that stays the same while the program runs.
    let elapsed: @Sendable () -> Duration
    /// Waits so long. False where nobody wants more, which only a test says: a person ends the
    /// program.
    let pause: @Sendable (Duration) -> Bool
}
