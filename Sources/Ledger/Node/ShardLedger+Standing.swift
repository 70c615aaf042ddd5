import Domain

/// What is told of quotas and rate limits without asking the ledger.
extension ShardLedger {
    /// What a principal has left of the quotas and rate limits that apply to it, for the model alias.
    func standing(of principal: Principal, for model: String?) -> Standing {
        let now = clock.uptime
        let ledgerNow = clock.now
        return change { state, _ in
            var standing = Standing(requests: nil, tokens: nil)
            for limit in principal.rateLimits where model.map(limit.counts) ?? (limit.model == nil)
            {
                guard let line = state.rates.standing(of: limit, at: now) else { continue }
                if limit.dimension == .tokensPerMinute {
                    standing.tokens = line.tighter(standing.tokens)
                } else {
                    standing.requests = line.tighter(standing.requests)
                }
            }
            for quota in principal.quotas {
                guard model.map(quota.counts) ?? (quota.model == nil) else { continue }
                let account = quota.account(at: ledgerNow)
                if let used = state.book.used(of: account, limit: quota.limit),
                    let percent = settings.thresholds.warning(used: used, limit: quota.limit)
                {
                    standing.warnings.append(QuotaWarning(quota: quota, percent: percent))
                }
                if quota.isSoft || quota.resource == .cost { continue }
                let reset = quota.period.end(of: account.start).map { $0 - ledgerNow } ?? .zero
                let line = Standing.Line(
                    limit: quota.limit, remaining: state.book.remaining(of: account) ?? quota.limit,
                    reset: reset)
                if quota.resource == .tokens {
                    standing.tokens = line.tighter(standing.tokens)
                } else {
                    standing.requests = line.tighter(standing.requests)
                }
            }
            standing.warnings.sort {
                $0.quota.subject.kind.rawValue > $1.quota.subject.kind.rawValue
            }
            return standing
        }
    }

    /// The accounts that requests have settled on since the last call.
    func takeSettledAccounts() -> Set<AccountID> {
        change { state, _ in
            defer { state.settledAccounts.removeAll(keepingCapacity: true) }
            return state.settledAccounts
        }
    }
}
