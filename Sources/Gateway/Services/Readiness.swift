/// Whether the gateway can serve, and if not, why.
public struct Readiness: Sendable, Hashable {
    /// One short line for each thing that is missing; empty when it can serve. Shown on the admin
    /// listener.
    public var reasons: [String]

    /// One short line for each thing that is wrong and keeps nobody from being served. Shown beside
    /// the reasons.
    public var warnings: [String]

    /// Makes a readiness that lacks what `reasons` say, and has `warnings` told of it.
    public init(reasons: [String], warnings: [String]) {
        self.reasons = reasons
        self.warnings = warnings
    }

    /// Whether the gateway can serve.
    public var isReady: Bool { reasons.isEmpty }
}
