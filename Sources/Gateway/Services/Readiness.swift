/// Whether the gateway can serve, and if not, why.
public struct Readiness: Sendable, Hashable {
    /// One short line for each thing that is missing; empty when it can serve. Shown on the admin
    /// listener.
    public var reasons: [String]

    /// Makes a readiness that lacks what `reasons` say.
    public init(reasons: [String]) { self.reasons = reasons }

    /// Whether the gateway can serve.
    public var isReady: Bool { reasons.isEmpty }
}
