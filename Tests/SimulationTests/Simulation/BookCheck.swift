import Domain

/// The invariants of the design over the ledger's tables, and what clients know about them.
struct BookCheck {
    /// The highest limit that each quota ever had.
    private var highest: [LedgerTables.QuotaName: Int64]

    init(_ tables: LedgerTables) { highest = tables.quotas }

    /// An administrator changed limits.
    mutating func raise(to tables: LedgerTables) {
        highest.merge(tables.quotas) { max($0, $1) }
    }

    /// What is broken in a committed state, if anything is.
    func failure(in tables: LedgerTables) -> String? {
        var charged: [Int64: Int64] = [:]
        for row in tables.usage.values {
            for (account, charge) in zip(row.accounts, row.charges) {
                charged[account, default: 0] += charge
            }
        }
        for (name, difference) in tables.corrections {
            charged[name.account, default: 0] += difference
        }
        var reserved: [Int64: Int64] = [:]
        for row in tables.reservations.values {
            for (lease, units) in zip(row.leases, row.units) {
                reserved[lease, default: 0] += units
            }
        }
        var held: [Int64: (granted: Int64, reserved: Int64, settled: Int64)] = [:]
        for (id, lease) in tables.leases {
            guard lease.reserved == reserved.removeValue(forKey: id) ?? 0 else {
                return "I4: lease \(id) reserves \(lease.reserved), its open requests do not"
            }
            held[lease.account, default: (0, 0, 0)].granted += lease.granted
            held[lease.account, default: (0, 0, 0)].reserved += lease.reserved
            held[lease.account, default: (0, 0, 0)].settled += lease.settled
        }
        guard reserved.isEmpty else { return "an open request without its lease" }
        for (id, account) in tables.accounts {
            let leases = held[id] ?? (0, 0, 0)
            let limit = highest[account.quota] ?? 0
            guard account.granted == account.used + leases.granted else {
                return "identity: account \(id) granted \(account.granted), used "
                    + "\(account.used), leases \(leases.granted)"
            }
            guard account.granted <= limit else {
                return "I1: account \(id) granted \(account.granted) of \(limit)"
            }
            guard account.used + leases.settled + leases.reserved <= limit else {
                return "I1: account \(id) spent more than \(limit)"
            }
            guard account.used + leases.settled == charged[id] ?? 0 else {
                return "I4: account \(id) has \(account.used + leases.settled), its records "
                    + "\(charged[id] ?? 0)"
            }
        }
        let open = Set(tables.reservations.keys)
        if let both = tables.usage.keys.first(where: { open.contains($0.request) }) {
            return "I2: \(RequestID(rawValue: both.request)) is open and settled"
        }
        return nil
    }

    /// Whether what a client has is held or charged.
    func covers(_ request: ClientRequest, in tables: LedgerTables) -> Bool {
        if let open = tables.reservations[request.id.rawValue] {
            return open.units.allSatisfy { $0 >= request.due }
        }
        return rows(of: request, in: tables).contains { row in
            row.charges.allSatisfy { $0 >= request.due }
        }
    }

    /// Whether a request has its record.
    func isSettled(_ request: ClientRequest, in tables: LedgerTables) -> Bool {
        !rows(of: request, in: tables).isEmpty
    }

    /// What is wrong at the end, when every node has stopped.
    ///
    /// What a lost host let go on in an outage is in no record: it must be covered by the leases
    /// that were kept for its journal, and that an operator wrote off.
    func finalFailures(
        of requests: [ClientRequest], in tables: LedgerTables, writtenOff: [Int64: Int64]
    ) -> [String] {
        var failures: [String] = []
        var unseen: [Int64: Int64] = [:]
        for request in requests {
            if request.lostItsDisk, request.delivered > 0, rows(of: request, in: tables).isEmpty {
                for (id, account) in tables.accounts where request.isSubject(to: account.quota) {
                    unseen[id, default: 0] += request.due
                }
                continue
            }
            if let failure = failure(of: request, in: tables) {
                failures.append("\(failure): \(describe(request, in: tables))")
            }
        }
        let known = Set(requests.map(\.id.rawValue))
        if tables.usage.keys.contains(where: { !known.contains($0.request) }) {
            failures.append("O3: a record of no request")
        }
        let rollup = tables.hours.values.reduce(0) { $0 + $1.charged }
        let records = tables.usage.values.reduce(0) { $0 + $1.charged }
        if rollup != records { failures.append("O4: the rollup has \(rollup) of \(records)") }
        for (id, units) in unseen where units > writtenOff[id] ?? 0 {
            failures.append("lost: \(units) tokens of account \(id) in no record")
        }
        for (id, account) in tables.accounts {
            let due = requests.filter { $0.isSubject(to: account.quota) }.reduce(0) { $0 + $1.due }
            if due > highest[account.quota] ?? 0 {
                failures.append("clients have \(due) tokens of account \(id), beyond its limit")
            }
        }
        return failures
    }

    private func failure(of request: ClientRequest, in tables: LedgerTables) -> String? {
        let rows = rows(of: request, in: tables)
        guard rows.count <= 1 else { return "O3: more than one record" }
        guard let row = rows.first else {
            return request.delivered > 0 ? "I2: delivered and never settled" : nil
        }
        if case .denied = request.outcome { return "O3: a record of a request that was denied" }
        let quotas = tables.quotas.keys.count { request.isSubject(to: $0) }
        if request.delivered > 0, row.accounts.count < quotas {
            return "lost: charged to \(row.accounts.count) accounts of \(quotas)"
        }
        for (place, account) in row.accounts.enumerated() {
            var charge = row.charges[place]
            for (name, difference) in tables.corrections
            where name.account == account && name.usage.request == request.id.rawValue {
                charge += difference
            }
            if charge < request.due { return "lost: \(charge) charged" }
            let all = request.bound.prompt + request.emitted
            let isExact = !request.lostItsDisk && !request.lostItsMemory
            if request.outcome == .finished, isExact, charge != all {
                return "O1: \(charge) charged"
            }
            if isExact {
                let most = request.emitted > 0 ? all : 0
                if charge > most { return "O2: \(charge) charged, \(most) generated" }
                if charge > 0, request.emitted - request.delivered > 1 {
                    return "O2: more than a token was not delivered"
                }
            }
        }
        return nil
    }

    private func rows(
        of request: ClientRequest, in tables: LedgerTables
    ) -> [LedgerTables.Usage] {
        tables.usage.filter { $0.key.request == request.id.rawValue }.map(\.value)
    }

    private func describe(_ request: ClientRequest, in tables: LedgerTables) -> String {
        let corrections = tables.corrections.filter { $0.key.usage.request == request.id.rawValue }
        return "\(request.id) \(request.outcome), prompt \(request.bound.prompt), generated "
            + "\(request.emitted), delivered \(request.delivered), records "
            + "\(rows(of: request, in: tables)), corrections \(corrections.map(\.value))"
    }
}
