/// The backends of the configuration, by name.
public struct BackendSet: Sendable {
    private let backends: [String: any Backend]

    /// Makes a set; of two with one name the later wins, which the configuration refuses first.
    init(_ backends: [any Backend]) {
        self.backends = Dictionary(backends.map { ($0.name, $0) }) { _, later in later }
    }

    /// All of them.
    var all: [any Backend] { Array(backends.values) }

    /// Why no backend takes requests, one line for each; empty as soon as one does.
    public var unavailabilities: [String] {
        var reasons: [String] = []
        for (name, backend) in backends.sorted(by: { $0.key < $1.key }) {
            guard let failure = backend.unavailability else { return [] }
            reasons.append("backend \(name): \(failure.kind.word)")
        }
        return reasons.isEmpty ? ["no backend is configured"] : reasons
    }
}

extension BackendFailure.Kind {
    /// One word for reasons and log lines, without any detail.
    var word: String {
        switch self {
        case .unreachable: "unreachable"
        case .timedOut: "timed_out"
        case .notReady: "not_ready"
        case .rateLimited: "rate_limited"
        case .busy: "busy"
        case .contextExceeded: "context_exceeded"
        case .invalidRequest: "invalid_request"
        case .malformed: "malformed"
        case .cancelled: "cancelled"
        }
    }
}
