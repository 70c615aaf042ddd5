import Domain

/// The tenants of a simulation: one team, its keys, and a quota of tokens for each.
struct SimulatedDirectory {
    let principals: [Principal]
    let tables: LedgerTables
    private let quotas: [LedgerTables.QuotaName]

    init(_ plan: SimulationPlan) {
        let shard = OrganizationID.default.shard
        var tables = LedgerTables(
            shard: shard.rawValue, now: SimulatedProcess.origin.microseconds)
        let team = Quota(
            subject: Subject(kind: .team, id: 500), resource: .tokens, period: .total,
            limit: plan.teamLimit)
        var quotas = [team]
        principals = (0..<plan.keys).map { number in
            let quota = Quota(
                subject: Subject(kind: .key, id: Int64(number) + 600), resource: .tokens,
                period: .total, limit: plan.keyLimit)
            quotas.append(quota)
            let key = KeyID(shard: shard, random: UInt64(number) + 700)
            tables.keys[key.databaseValue] = true
            return Principal(
                shard: shard, organization: .default, team: TeamID(rawValue: 500), key: key,
                keySubject: quota.subject.id, allowedModels: nil, defaultCompletionTokens: nil,
                alwaysShowsUsage: false, quotas: [quota, team], rateLimits: [])
        }
        self.quotas = quotas.map { quota in
            LedgerTables.QuotaName(
                kind: quota.subject.kind.rawValue, subject: quota.subject.id,
                resource: quota.resource.rawValue, period: quota.period.rawValue)
        }
        for (quota, name) in zip(quotas, self.quotas) { tables.quotas[name] = quota.limit }
        self.tables = tables
    }

    /// An administrator sets a limit, in the quota's row and in the account's.
    func change(_ number: Int, to limit: Int64, in server: SimulatedServer) {
        let quota = quotas[number % quotas.count]
        server.change { tables in
            tables.quotas[quota] = limit
            for (id, account) in tables.accounts where account.quota == quota {
                tables.accounts[id]?.limit = limit
                tables.accounts[id]?.cap = max(limit, account.granted)
                tables.accounts[id]?.recallGeneration += 1
            }
        }
    }

    func keyNumber(_ number: Int) -> Int64 {
        principals[number % principals.count].key.databaseValue
    }
}
