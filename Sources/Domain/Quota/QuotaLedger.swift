/// Where quotas are kept and usage is recorded. The only door between a request and the ledger.
///
/// The order for one request is `admit`, `acceptance`, `settle`; `settle` may come without
/// `acceptance`.
public protocol QuotaLedger: Sendable {
    /// Decides whether a request may run, and reserves its bound of every quota, all or nothing.
    /// Rate limits count here.
    ///
    /// When it returns `.admitted` the opening is on its way to the ledger and the request may be
    /// forwarded (gate G0). Throws when the ledger is needed for the decision and cannot be
    /// reached; then nothing is reserved.
    func admit(_ request: AdmissionRequest) async throws(LedgerFault) -> Admission

    /// Waits until the ledger accepted the opening (gate G1): before that no byte goes to the
    /// client. Throws when it does not answer in time; the caller still settles, as void.
    func acceptance(of reservation: borrowing Reservation) async throws(LedgerFault) -> Acceptance

    /// Notes what the request will have used once the bytes at hand are in the client's socket
    /// (gate G2).
    func note(_ usage: TokenUsage, of reservation: borrowing Reservation)

    /// Replaces the reservation by what was used and writes the usage record.
    ///
    /// Returns when that is durable (gate G3): only then may the client see the end. Repeating it
    /// is impossible. When it throws, the settlement is kept and still on its way; only its
    /// confirmation did not come in time.
    func settle(
        _ reservation: consuming Reservation, as settlement: Settlement
    ) async throws(LedgerFault) -> Receipt

    /// What a principal has left right now, as this node knows it: of what applies to requests for
    /// the model alias, or of what applies to requests for any model.
    func standing(of principal: Principal, for model: String?) -> Standing
}

/// The ledger's answer to an opening.
public enum Acceptance: Sendable, Equatable {
    /// The reservation is in the ledger.
    case accepted
    /// The key was revoked or expired meanwhile. Nothing was recorded.
    case keyRefused
}

/// What a settlement came to.
public struct Receipt: Sendable, Equatable {
    /// What was charged.
    public let charge: Charge
    /// False when there was no reservation to settle, since the ledger had refused the opening.
    public let recorded: Bool

    /// Makes a receipt.
    public init(charge: Charge, recorded: Bool) {
        self.charge = charge
        self.recorded = recorded
    }
}

/// The ledger could not do what was asked.
public enum LedgerFault: Error, Sendable, Equatable {
    /// It cannot be reached, or did not answer in time.
    case unavailable
    /// This node was declared dead and its leases taken back; it starts anew under another epoch.
    case fenced
    /// The node is stopping and admits nothing more.
    case draining
    /// The ledger refused a row that should have been good: a bug on our side, kept for an
    /// operator.
    case rejected
    /// Too many requests wait for the ledger already.
    case overloaded
}

/// What is left of the tightest limits, for the `x-ratelimit-*` headers. The node's view: it may
/// lag.
public struct Standing: Sendable, Equatable {
    /// One limit, what is left of it, and how long until it is whole again.
    public struct Line: Sendable, Equatable {
        /// The whole allowance.
        public let limit: Int64
        /// Never negative, never above `limit`.
        public let remaining: Int64
        /// How long until nothing of it is used any more.
        public let reset: Duration

        /// Makes a line; `remaining` is cut to 0...limit.
        public init(limit: Int64, remaining: Int64, reset: Duration) {
            self.limit = limit
            self.remaining = min(max(0, remaining), limit)
            self.reset = max(reset, .zero)
        }

        /// The line with less left.
        public func tighter(_ other: Line?) -> Line {
            guard let other else { return self }
            return other.remaining < remaining ? other : self
        }
    }

    /// Requests; nil when nothing limits them.
    public var requests: Line?
    /// Tokens; nil when nothing limits them.
    public var tokens: Line?
    /// The quotas at or beyond the lowest threshold, the nearest subject first; usually none.
    public var warnings: [QuotaWarning] = []

    /// Makes a standing.
    public init(requests: Line?, tokens: Line?) {
        self.requests = requests
        self.tokens = tokens
    }
}
