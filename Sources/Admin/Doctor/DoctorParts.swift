public import Domain
public import TurnpikeConfiguration

/// What `admin doctor` looks at through other rooms of the program, which this one does not know.
public struct DoctorParts: Sendable {
    /// The variables of the environment.
    public typealias Environment = @Sendable (String) -> String?

    /// What an upstream said to one of its keys.
    public enum UpstreamAnswer: Sendable, Equatable {
        /// It answered with a status of HTTP. `expires` is when its certificate ends; nil without
        /// TLS.
        case answered(status: Int, expires: Timestamp?)
        /// It did not, and why, for the operator.
        case failed(reason: String)
    }

    /// Where the program of local engines is.
    public enum Engine: Sendable, Equatable {
        /// At this path.
        case found(String)
        /// Nowhere, and what was looked for.
        case missing(reason: String)
    }

    /// The running program's; without one nothing is looked at.
    @TaskLocal public static var current = DoctorParts(
        askUpstream: { _, _, _ in nil },
        findEngine: { _ in .missing(reason: "nobody looked for llama-server") })

    let askUpstream:
        @Sendable (Configuration, _ backend: String, Environment) async -> [UpstreamAnswer]?
    let findEngine: @Sendable (Environment) -> Engine

    /// Makes them of the rooms. `askUpstream` waits for an upstream's answer to each of its keys,
    /// in the order of the configuration, or to a call without one; nil where it cannot ask.
    public init(
        askUpstream:
            @escaping @Sendable (Configuration, _ backend: String, Environment)
            async -> [UpstreamAnswer]?,
        findEngine: @escaping @Sendable (Environment) -> Engine
    ) {
        self.askUpstream = askUpstream
        self.findEngine = findEngine
    }
}
