/// One call that was made for a request: to whom, when, and what came of it.
public struct Attempt: Sendable, Hashable {
    /// What came of it. The numbers are those of the ledger and the journal.
    public enum Outcome: Int16, Sendable, CaseIterable {
        /// The answer that the client got.
        case answered = 1
        /// No connection, or a server error.
        case unreachable = 2
        case timedOut = 3
        /// The model was loading.
        case notReady = 4
        /// The backend's own rate limit, or its overload.
        case rateLimited = 5
        /// It broke the protocol.
        case malformed = 6
        case contextExceeded = 7
        /// The backend found the request invalid.
        case invalidRequest = 8
        /// Nobody waited for it any more.
        case cancelled = 9
        /// The answer broke off after the client had bytes of it.
        case brokeOff = 10
        /// The backend's room was taken by other calls.
        case busy = 11

        /// The name in reports and logs.
        public var name: String {
            switch self {
            case .answered: "answered"
            case .unreachable: "unreachable"
            case .timedOut: "timed_out"
            case .notReady: "not_ready"
            case .rateLimited: "rate_limited"
            case .malformed: "malformed"
            case .contextExceeded: "context_exceeded"
            case .invalidRequest: "invalid_request"
            case .cancelled: "cancelled"
            case .brokeOff: "broke_off"
            case .busy: "busy"
            }
        }
    }

    /// Where a request may be tried again.
    public enum Retry: Sendable, Equatable {
        case nowhere
        /// At another backend.
        case elsewhere
        /// At the same backend too.
        case anywhere
    }

    /// The backend's name.
    public var backend: String
    /// What came of it.
    public var outcome: Outcome
    /// The HTTP status of a refusal, where there was one.
    public var status: Int16?
    /// From the request's admission to the call.
    public var begunAfter: Duration
    /// From the call to its end.
    public var duration: Duration
    /// What it is known to have used; nil where nothing is known, which does not say that it used
    /// nothing.
    public var usage: TokenUsage?

    /// Makes an attempt.
    public init(
        backend: String, outcome: Outcome, status: Int16?, begunAfter: Duration,
        duration: Duration, usage: TokenUsage?
    ) {
        self.backend = backend
        self.outcome = outcome
        self.status = status
        self.begunAfter = begunAfter
        self.duration = duration
        self.usage = usage
    }

    /// Where the request may be tried again after it.
    ///
    /// A slow, busy or loading backend is not asked twice. What is the client's mistake is nobody
    /// else's, and an answer that makes no sense has cost its tokens.
    public var retry: Retry {
        switch outcome {
        // One that has generated may be generating still.
        case .unreachable: (usage?.completion ?? 0) > 0 ? .elsewhere : .anywhere
        case .timedOut, .notReady, .rateLimited, .busy: .elsewhere
        case .answered, .malformed, .contextExceeded, .invalidRequest, .cancelled, .brokeOff:
            .nowhere
        }
    }
}
