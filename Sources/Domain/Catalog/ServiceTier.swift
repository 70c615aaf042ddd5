/// How soon an upstream serves a request, at a price of its own (`service_tier`).
public enum ServiceTier: String, Sendable, CaseIterable {
    case auto
    case standard = "default"
    case flex, scale, priority, fast

    /// Whether it is what a client that says nothing gets.
    public var isUsual: Bool { self == .auto || self == .standard }
}
