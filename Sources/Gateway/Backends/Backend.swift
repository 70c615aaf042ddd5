import Domain

/// What completes a chat: a local engine or an upstream.
protocol Backend: Sendable {
    /// The name it has in the configuration.
    var name: String { get }

    /// Whether it can take a request now; nil when it can, otherwise why not.
    var unavailability: BackendFailure? { get }

    /// The first parameter of `request`, by its name in the contract, that this backend cannot
    /// honour; nil when it can honour all. Asked before anything is reserved, so that nothing is
    /// ever dropped silently. `completionBound` is the most tokens that one choice may have.
    func unsupportedParameter(
        in request: ChatCompletionRequest, completionBound: Int64
    ) -> String?

    /// The exact length of a call's prompt in tokens, where the backend can tell it beforehand; nil
    /// where it cannot, and a bound has to do. Nothing is reserved yet, so it is to cost next to
    /// nothing.
    func promptTokens(of call: BackendCall) async throws(BackendFailure) -> Int64?

    /// Forwards a call and returns once the backend has begun to answer (its head is 200).
    /// Cancelling the task ends the call at the backend within 100 ms.
    func forward(_ call: BackendCall) async throws(BackendFailure) -> any BackendAnswer
}

/// A request on its way to a backend.
struct BackendCall: Sendable {
    /// What the client asked for.
    var request: ChatCompletionRequest
    /// The backend's own name for the model.
    let upstreamModel: String
    /// The bound that is written into the forwarded request: the most completion tokens that each
    /// choice may have.
    var completionBound: Int64
    /// Names the request in logs.
    let requestID: RequestID
    /// Whose call it is.
    var team = Team.nobody
    /// To be told when the call is sent, where that is not at once.
    var announcement: StreamAnnouncement?

    /// The team that a call is made for: what there is too little of is shared between teams.
    struct Team: Sendable, Hashable {
        let id: TeamID
        /// Its name behind its organization's, `acme/research`.
        let name: String

        /// All whose team nobody knows.
        static let nobody = Team(id: TeamID(rawValue: 0), name: "")
    }
}

/// A backend's answer as it arrives. One consumer.
protocol BackendAnswer: Sendable {
    /// Every event that has arrived, at least one; nil at the good end, after which there is
    /// nothing more. Throws when the backend fails, or sends what is not an answer.
    func next() async throws(BackendFailure) -> [BackendEvent]?

    /// How long the call waited for room at the backend before it was sent.
    var queueTime: Duration { get }

    /// Ends the call at the backend at once; its connection is closed, never reused. Harmless after
    /// the end.
    func cancel()
}

extension Backend {
    /// Most cannot tell.
    func promptTokens(of call: BackendCall) async throws(BackendFailure) -> Int64? { nil }
}

extension BackendAnswer {
    /// No time: most backends have no queue of ours in front of them.
    var queueTime: Duration { .zero }
}

/// One event of an answer: the same for a stream's chunk and for a whole answer, which is one
/// event.
struct BackendEvent: Sendable, Equatable {
    /// What the choices said, usually of one choice.
    var deltas: [ChoiceDelta] = []
    /// The backend's own count of the whole answer, once it tells; the last one holds.
    var usage: TokenUsage?
    /// The backend's own count of the prompt alone, where it tells that before the answer's end;
    /// nothing else of it means anything.
    var promptUsage: TokenUsage?
    /// What it tells of that count beside; the last one holds.
    var usageParts: UsageParts?
    /// What its moderation found, where that was asked for.
    var moderation: ModerationReport?
    /// How soon it served the request, where it tells.
    var serviceTier: ServiceTier?
    /// The backend's exact count of completion tokens up to this event, where it offers one with
    /// each chunk.
    var completionTokensSoFar: Int64?

    /// Whether it carries reasoning and nothing else.
    var isReasoning: Bool {
        deltas.contains { $0.reasoning?.isEmpty == false }
            && deltas.allSatisfy { delta in
                delta.content == nil && delta.refusal == nil && delta.toolCalls.isEmpty
            }
    }
}

/// Why a backend did not answer, or stopped answering.
struct BackendFailure: Error, Sendable, Equatable {
    /// What kind of failure, which decides the client's status.
    enum Kind: Sendable, Equatable {
        /// Cannot be reached, or answered with a server error: 502.
        case unreachable
        /// No answer in time: 504.
        case timedOut
        /// Starting or loading its model: 503.
        case notReady(retryAfter: Duration)
        /// It refuses for its own rate limit, or for overload: 503 to the client, since it is not
        /// the client's own limit.
        case rateLimited(retryAfter: Duration?)
        /// Its room is taken by other calls, and this one waited in vain or not at all: 503. Nothing
        /// is wrong with it.
        case busy(retryAfter: Duration)
        /// The prompt does not fit its context window: 400.
        case contextExceeded(promptTokens: Int64?, contextTokens: Int64?)
        /// It finds the request invalid although we did not: 400.
        case invalidRequest
        /// It broke the protocol: 502.
        case malformed
        /// We cancelled it.
        case cancelled
    }

    /// An answer holds a choice beyond those that were asked for: nobody has reserved it.
    static let unaskedChoice = BackendFailure(
        kind: .malformed, detail: "the answer holds more choices than were asked for")

    let kind: Kind
    /// For the log only; may name hosts and quote the backend.
    let detail: String
    /// The HTTP status of a refusal; nil where there was none.
    var status: Int?
    /// What of the request it does not accept, where it named that.
    var fault: RequestFault?
    /// Whether it is for one of the backend's credentials that it is to be left alone: whoever keeps
    /// them sees to that, for the model at hand, and others are served.
    var isOfCredential = false
}
