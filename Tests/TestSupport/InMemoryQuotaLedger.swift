import Domain
import Synchronization

/// A ledger without a database: exact counters under one lock. It passes the contract suite that
/// the real one passes.
///
/// Acceptances and settlements answer at once, unless a test holds them.
public final class InMemoryQuotaLedger: QuotaLedger {
    /// A usage record as a test reads it.
    public struct Record: Sendable {
        /// The request.
        public let requestID: RequestID
        /// The model alias.
        public let model: String
        /// The backend that served it.
        public let backend: String
        /// What became of it.
        public let settlement: Settlement
        /// What it was charged.
        public let charge: Charge
    }

    private struct Numbers {
        var used: Int64 = 0
        var reserved: Int64 = 0
        /// The most that was ever used and reserved together.
        var peak: Int64 = 0
    }

    private struct State {
        var accounts: [AccountKey: Numbers] = [:]
        var limiter = RateLimiter()
        var tickets: [RequestID: RateLimiter.Ticket] = [:]
        var revoked: Set<KeyID> = []
        var refusedOpenings: Set<RequestID> = []
        var records: [Record] = []
        var notes: [RequestID: [Int64]] = [:]
        var fault: LedgerFault?
    }

    private let state = Mutex(State())
    private let time: any TimeSource
    /// Acceptances wait here while it is closed.
    public let acceptanceGate = Gate(isOpen: true)
    /// Settlements wait here while it is closed.
    public let settlementGate = Gate(isOpen: true)

    /// Makes an empty ledger.
    public init(time: any TimeSource) { self.time = time }

    /// Everything recorded so far.
    public var records: [Record] { state.withLock(\.records) }
    /// The completion tokens noted for a request before they went to its client.
    public func notes(of id: RequestID) -> [Int64] { state.withLock { $0.notes[id] ?? [] } }
    /// What is held by open requests, over all accounts.
    public var reserved: Int64 {
        state.withLock { $0.accounts.values.map(\.reserved).reduce(0, +) }
    }
    /// How many admitted requests are not settled.
    public var openRequests: Int { state.withLock { $0.tickets.count } }
    /// What an account has used, and the most that was ever used and reserved together.
    public func numbers(of account: AccountKey) -> (used: Int64, peak: Int64) {
        state.withLock { ($0.accounts[account]?.used ?? 0, $0.accounts[account]?.peak ?? 0) }
    }

    /// Makes openings of the key be refused from now on.
    public func revoke(_ key: KeyID) { state.withLock { _ = $0.revoked.insert(key) } }

    /// Makes every call fail until it is set to nil.
    public func fail(with fault: LedgerFault?) { state.withLock { $0.fault = fault } }

    /// See `QuotaLedger`.
    public func admit(_ request: AdmissionRequest) async throws(LedgerFault) -> Admission {
        let now = time.uptime
        let instant = time.wall
        enum Outcome {
            case fault(LedgerFault)
            case denied(Denial)
            case admitted(Claims)
        }
        let outcome = state.withLock { state -> Outcome in
            if let fault = state.fault { return .fault(fault) }
            let limits = request.principal.rateLimits(of: request.model)
            guard
                case .passed(let ticket) = state.limiter.admit(
                    limits, tokens: request.bound.total, at: now)
            else {
                if case .denied(let denial) = state.limiter.admit(
                    limits, tokens: request.bound.total, at: now)
                {
                    return .denied(denial)
                }
                return .fault(.unavailable)
            }
            var claims = Claims()
            for quota in request.principal.quotas where quota.counts(request.model) {
                let account = quota.account(at: instant)
                let units = request.units(of: quota.resource)
                let numbers = state.accounts[account] ?? Numbers()
                if !quota.isSoft, numbers.used + numbers.reserved + units > quota.limit {
                    state.limiter.undo(ticket, at: now)
                    return .denied(
                        Self.denial(quota, account, numbers.used, numbers.reserved, units))
                }
                claims.append(
                    Claim(
                        account: account, accountID: AccountID(rawValue: 1),
                        lease: LeaseID(rawValue: 1), units: units))
            }
            for claim in claims {
                state.accounts[claim.account, default: Numbers()].reserved += claim.units
                let numbers = state.accounts[claim.account] ?? Numbers()
                state.accounts[claim.account]?.peak = max(
                    numbers.peak, numbers.used + numbers.reserved)
            }
            state.tickets[request.requestID] = ticket
            return .admitted(claims)
        }
        switch outcome {
        case .fault(let fault): throw fault
        case .denied(let denial): return .denied(denial)
        case .admitted(let claims):
            return .admitted(Reservation(request, claims: claims, admittedAt: instant))
        }
    }

    /// See `QuotaLedger`.
    public func acceptance(
        of reservation: borrowing Reservation
    ) async throws(LedgerFault) -> Acceptance {
        await acceptanceGate.pass()
        let key = reservation.principal.key
        let id = reservation.requestID
        let (fault, isRevoked) = state.withLock { state in
            if state.revoked.contains(key) { state.refusedOpenings.insert(id) }
            return (state.fault, state.revoked.contains(key))
        }
        if let fault { throw fault }
        return isRevoked ? .keyRefused : .accepted
    }

    /// See `QuotaLedger`.
    public func note(_ usage: TokenUsage, of reservation: borrowing Reservation) {
        let id = reservation.requestID
        state.withLock { $0.notes[id, default: []].append(usage.completion) }
    }

    /// See `QuotaLedger`.
    public func settle(
        _ reservation: consuming Reservation, as settlement: Settlement
    ) async throws(LedgerFault) -> Receipt {
        let charge = Charge(settlement, bound: reservation.bound, price: reservation.price)
        let record = Record(
            requestID: reservation.requestID, model: reservation.model,
            backend: reservation.backend,
            settlement: settlement, charge: charge)
        let claims = reservation.claims
        reservation.settled()
        let now = time.uptime
        let (fault, recorded) = state.withLock { state -> (LedgerFault?, Bool) in
            let recorded = state.refusedOpenings.remove(record.requestID) == nil
            for claim in claims {
                state.accounts[claim.account]?.reserved -= claim.units
                state.accounts[claim.account]?.used +=
                    recorded ? charge.amount(of: claim.account.resource) : 0
            }
            if let ticket = state.tickets.removeValue(forKey: record.requestID) {
                state.limiter.finish(ticket, used: charge.tokens, at: now)
            }
            if recorded { state.records.append(record) }
            return (state.fault, recorded)
        }
        await settlementGate.pass()
        if let fault { throw fault }
        return Receipt(charge: charge, recorded: recorded)
    }

    /// See `QuotaLedger`.
    public func standing(of principal: Principal, for model: String?) -> Standing {
        let now = time.uptime
        let instant = time.wall
        return state.withLock { state in
            var standing = Standing(requests: nil, tokens: nil)
            for limit in principal.rateLimits where model.map(limit.counts) ?? (limit.model == nil)
            {
                guard let line = state.limiter.standing(of: limit, at: now) else { continue }
                if limit.dimension == .tokensPerMinute {
                    standing.tokens = line.tighter(standing.tokens)
                } else {
                    standing.requests = line.tighter(standing.requests)
                }
            }
            for quota in principal.quotas
            where !quota.isSoft && (model.map(quota.counts) ?? (quota.model == nil)) {
                let account = quota.account(at: instant)
                let numbers = state.accounts[account] ?? Numbers()
                let line = Standing.Line(
                    limit: quota.limit, remaining: quota.limit - numbers.used - numbers.reserved,
                    reset: quota.period.end(of: account.start).map { $0 - instant } ?? .zero)
                switch quota.resource {
                case .tokens: standing.tokens = line.tighter(standing.tokens)
                case .requests: standing.requests = line.tighter(standing.requests)
                case .cost: break
                }
            }
            return standing
        }
    }

    private static func denial(
        _ quota: Quota, _ account: AccountKey, _ used: Int64, _ reserved: Int64, _ units: Int64
    ) -> Denial {
        let reason: Denial.Reason =
            units > quota.limit
            ? .exceedsLimit : used + units > quota.limit ? .quotaExhausted : .quotaReserved
        return Denial(
            reason: reason, subject: quota.subject, resource: quota.resource, period: quota.period,
            limit: quota.limit, used: used, reserved: reserved, requested: units,
            retryAfter: reason == .quotaReserved ? .seconds(1) : nil,
            resetsAt: quota.period.end(of: account.start))
    }
}
