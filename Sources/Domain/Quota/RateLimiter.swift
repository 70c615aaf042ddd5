/// The rate limits of one node: pure, the caller supplies the time and a lock.
///
/// A request passes all its limits or takes of none. Cells are this node's own; several nodes of
/// one ledger each allow the full rate until cells are leased from the ledger.
public struct RateLimiter: Sendable {
    private struct Cell: Hashable { let subject: Subject; let dimension: RateLimit.Dimension }

    private var cells: [Cell: (limit: Int64, state: GCRA)] = [:]
    private var running: [Subject: Int64] = [:]

    /// Makes a limiter that has seen nothing.
    public init() {}

    /// What a passed request took, to be given back when it ends.
    public struct Ticket: Sendable, Hashable {
        fileprivate let limits: [RateLimit]
        fileprivate let tokens: Int64
    }

    /// The limiter's answer.
    public enum Decision: Sendable, Hashable {
        case passed(Ticket)
        case denied(Denial)
    }

    /// Decides over every limit of `limits` for one request of `tokens`, and takes of all or none.
    public mutating func admit(_ limits: [RateLimit], tokens: Int64, at now: Uptime) -> Decision {
        guard !limits.isEmpty else { return .passed(Ticket(limits: [], tokens: tokens)) }
        for limit in limits {
            if let denial = denial(by: limit, tokens: tokens, at: now) { return .denied(denial) }
        }
        for limit in limits {
            switch limit.dimension {
            case .concurrentRequests: running[limit.subject, default: 0] += 1
            case .requestsPerMinute: take(1, of: limit, at: now)
            case .tokensPerMinute: take(tokens, of: limit, at: now)
            }
        }
        return .passed(Ticket(limits: limits, tokens: tokens))
    }

    /// Ends a passed request that used `tokens`: its place comes free and the tokens it did not use
    /// are credited.
    public mutating func finish(_ ticket: Ticket, used tokens: Int64, at now: Uptime) {
        for limit in ticket.limits {
            switch limit.dimension {
            case .concurrentRequests: release(limit.subject)
            case .requestsPerMinute: break
            case .tokensPerMinute: credit(max(0, ticket.tokens - tokens), of: limit, at: now)
            }
        }
    }

    /// Undoes a passed request that was refused elsewhere and never ran.
    public mutating func undo(_ ticket: Ticket, at now: Uptime) {
        for limit in ticket.limits {
            switch limit.dimension {
            case .concurrentRequests: release(limit.subject)
            case .requestsPerMinute: credit(1, of: limit, at: now)
            case .tokensPerMinute: credit(ticket.tokens, of: limit, at: now)
            }
        }
    }

    /// What is left of a limit; nil for concurrency, which has no header.
    public func standing(of limit: RateLimit, at now: Uptime) -> Standing.Line? {
        guard limit.dimension != .concurrentRequests else { return nil }
        let state = state(of: limit)
        return Standing.Line(
            limit: limit.limit, remaining: state.remaining(at: now), reset: state.reset(at: now))
    }

    /// Forgets cells that are full again, so that memory follows the subjects that are active.
    public mutating func forgetIdle(at now: Uptime) {
        cells = cells.filter { !$0.value.state.isFull(at: now) }
    }

    private func denial(by limit: RateLimit, tokens: Int64, at now: Uptime) -> Denial? {
        switch limit.dimension {
        case .concurrentRequests:
            let count = running[limit.subject, default: 0]
            return count < limit.limit
                ? nil : Self.denial(limit, requested: 1, used: count, wait: .seconds(1))
        case .requestsPerMinute: return denial(by: limit, cells: 1, at: now)
        case .tokensPerMinute: return denial(by: limit, cells: tokens, at: now)
        }
    }

    private func denial(by limit: RateLimit, cells: Int64, at now: Uptime) -> Denial? {
        let state = state(of: limit)
        let used = limit.limit - state.remaining(at: now)
        switch state.decide(cells, at: now) {
        case .pass: return nil
        case .wait(let wait): return Self.denial(limit, requested: cells, used: used, wait: wait)
        case .never:
            return Denial(
                reason: .exceedsLimit, subject: limit.subject, resource: .tokens, period: nil,
                limit: limit.limit, used: nil, reserved: nil, requested: cells, retryAfter: nil,
                resetsAt: nil)
        }
    }

    private static func denial(
        _ limit: RateLimit, requested: Int64, used: Int64, wait: Duration
    ) -> Denial {
        Denial(
            reason: .rateLimited(limit.dimension), subject: limit.subject,
            resource: limit.dimension == .tokensPerMinute ? .tokens : .requests, period: nil,
            limit: limit.limit, used: used, reserved: nil, requested: requested, retryAfter: wait,
            resetsAt: nil)
    }

    /// A changed limit starts a fresh cell: the old one's times mean another rate.
    private func state(of limit: RateLimit) -> GCRA {
        guard let cell = cells[Cell(subject: limit.subject, dimension: limit.dimension)],
            cell.limit == limit.limit
        else { return GCRA(perMinute: limit.limit) }
        return cell.state
    }

    private mutating func take(_ count: Int64, of limit: RateLimit, at now: Uptime) {
        var state = state(of: limit)
        state.take(count, at: now)
        cells[Cell(subject: limit.subject, dimension: limit.dimension)] = (limit.limit, state)
    }

    /// Credits a cell that is still there under the same limit. One that was forgotten was full,
    /// and one of another limit never held these cells.
    private mutating func credit(_ count: Int64, of limit: RateLimit, at now: Uptime) {
        let name = Cell(subject: limit.subject, dimension: limit.dimension)
        guard var cell = cells[name], cell.limit == limit.limit else { return }
        cell.state.giveBack(count, at: now)
        cells[name] = cell
    }

    private mutating func release(_ subject: Subject) {
        let count = running[subject, default: 0] - 1
        running[subject] = count > 0 ? count : nil
    }
}
