import Domain
import Ledger
import Synchronization

@testable import Admin

/// A ledger in memory for the commands' tests. What it does with the database is tested against the
/// real one.
final class FakeAdminLedger: AdminLedger, Sendable {
    struct State {
        var organizations = [
            OrganizationEntry(id: .default, name: "default", createdAt: FakeAdminLedger.now)
        ]
        var teams: [OrganizationID: [TeamEntry]] = [:]
        var keys: [OrganizationID: [KeyEntry]] = [:]
        var adminKeys: [AdminKeyEntry] = []
        var allowances: [Subject: [AllowanceEntry]] = [:]
        var charges: [(charge: Int64, admitted: Timestamp)] = []
        var chargeQueries: [ChargeQuery] = []
        var usage: [UsageRow] = []
        /// Answers to the next questions, in order; after them `usage` again.
        var nextUsage: [[UsageRow]] = []
        var queries: [UsageQuery] = []
        var zones: [String] = []
        var latency: [LatencyRow] = []
        var dropped: DroppedDays?
        var pages: [[ExportRecord]] = []
        var exports: [ExportQuery] = []
        var exportCount: Int64 = 0
        var audit = AuditReport()
        var story = ExplainStore.Answer.unknown(mayBeDropped: false)
        var statement = Statement(lines: [], usage: UsageSums())
        var statements: [StatementQuery] = []
        var due: [CalendarDay] = []
        var retention = RetentionReport()
        var drops = 0
        var nodes: [NodeStatus] = []
        var webhooks: [WebhookSubscription] = []
        var events: [EventStatus] = []
        var writeOff = WriteOff.done(WriteOff.Returned())
        var writtenOff: [Int64] = []
        var models: [String] = []
        var prices: [PriceChange] = []
        var preview = RepriceReport()
        var repriced = RepriceOutcome()
        var orders: [RepriceOrder] = []
        var backends: [BackendEntry] = []
        var backendUsage = BackendUsage()
        var backendQueries: [BackendUsageQuery] = []
        var actions: [ActionRecord] = []
        var actionQueries: [ActionQuery] = []
        var failure: AdminFailure?
        /// How far the ledger's clock goes on each time it is looked at.
        var secondsPerLook: Int64 = 0
        var looks: Int64 = 0
        var nextID: Int64 = 100
    }

    /// 2026-11-21 08:09:00 UTC.
    static let now = CalendarDay(year: 2026, month: 11, day: 21).start + .seconds(8 * 3600 + 540)

    let state = Mutex(State())

    func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        state.withLock { state in body(&state) }
    }

    func checked<Result>(_ body: (inout State) -> Result) throws(AdminFailure) -> Result
    where Result: Sendable {
        let failure = state.withLock { $0.failure }
        if let failure { throw failure }
        return state.withLock { state in body(&state) }
    }

    func time() throws(AdminFailure) -> Timestamp {
        try checked { state in
            defer { state.looks += 1 }
            return Self.now + .seconds(state.looks * state.secondsPerLook)
        }
    }

    func createOrganization(_ name: String) throws(AdminFailure) -> OrganizationEntry {
        try checked { state in
            state.nextID += 1
            let made = OrganizationEntry(
                id: OrganizationID(rawValue: state.nextID), name: name, createdAt: Self.now)
            state.organizations.append(made)
            return made
        }
    }

    func organizations() throws(AdminFailure) -> [OrganizationEntry] {
        try checked { $0.organizations }
    }

    func findOrganization(_ name: String) throws(AdminFailure) -> OrganizationEntry? {
        try organizations().first { $0.name == name }
    }

    func findTeam(
        _ name: String, in organization: OrganizationEntry
    ) throws(AdminFailure) -> TeamEntry? {
        try teams(in: organization).first { $0.name == name }
    }

    func createTeam(
        _ name: String, in organization: OrganizationEntry
    ) throws(AdminFailure) -> TeamEntry {
        try checked { state in
            state.nextID += 1
            let made = TeamEntry(
                id: TeamID(rawValue: state.nextID), name: name, createdAt: Self.now)
            state.teams[organization.id, default: []].append(made)
            return made
        }
    }

    func teams(in organization: OrganizationEntry) throws(AdminFailure) -> [TeamEntry] {
        try checked { $0.teams[organization.id] ?? [] }
    }

    func mintKey(
        _ order: KeyOrder, for team: TeamEntry, in organization: OrganizationEntry
    ) throws(AdminFailure) -> MintedKeyEntry {
        let key = try checked { state in
            state.nextID += 1
            var made = KeyEntry(
                id: KeyID(shard: organization.id.shard, random: UInt64(state.nextID)),
                name: order.name, team: team.name, subject: state.nextID, state: .active,
                last4: "abcd", models: order.models,
                streamsUsage: order.streamsUsage, mirrorsReasoning: order.mirrorsReasoning,
                createdAt: Self.now,
                expiresAt: order.expiresAt, revokedAt: nil)
            made.endpoints = order.endpoints
            made.tags = order.tags
            made.clamps = order.clamps
            made.defaultCompletionTokens = order.defaultCompletionTokens
            state.keys[organization.id, default: []].append(made)
            return made
        }
        let secret = APIKeyFormat.write(
            prefix: "sk-test", id: key.id, secret: [UInt8](repeating: 7, count: 32))
        return MintedKeyEntry(key: key, secret: secret)
    }

    func keys(
        in organization: OrganizationEntry, of team: TeamEntry?
    ) throws(AdminFailure) -> [KeyEntry] {
        try checked { state in
            (state.keys[organization.id] ?? []).filter { team == nil || $0.team == team?.name }
        }
    }

    func findKey(_ id: KeyID, in organization: OrganizationEntry) throws(AdminFailure) -> KeyEntry?
    {
        try keys(in: organization, of: nil).first { $0.id == id }
    }

    func revokeKey(
        _ id: KeyID, reason: String?, in organization: OrganizationEntry
    ) throws(AdminFailure) {
        try update(organization) { key in
            guard key.id == id, key.revokedAt == nil else { return }
            key.state = .revoked
            key.revokedAt = Self.now
            key.revokeReason = reason
        }
    }

    func apply(
        _ changes: [AllowanceChange], to subject: Subject, model: String?,
        in organization: OrganizationEntry
    ) throws(AdminFailure) {
        try checked { state in
            for change in changes {
                var entries = state.allowances[subject] ?? []
                switch change {
                case .setQuota(let resource, let period, let limit, let rides, let soft):
                    let target = AllowanceTarget.quota(resource, period)
                    let old = entries.first { $0.target == target && $0.model == model }
                    entries.removeAll { $0.target == target && $0.model == model }
                    entries.append(
                        AllowanceEntry(
                            target: target, model: model, limit: limit,
                            ridesOutages: rides ?? old?.ridesOutages ?? true,
                            numbers: .init(
                                used: 0, reserved: 0, leased: 0, left: limit,
                                resetsAt: period.end(of: period.start(at: Self.now))),
                            isSoft: soft ?? old?.isSoft ?? false))
                case .setRateLimit(let dimension, let limit):
                    entries.append(
                        AllowanceEntry(
                            target: .rate(dimension), model: model, limit: limit,
                            ridesOutages: nil, numbers: nil)
                    )
                case .clearQuota(let resource, let period):
                    entries.removeAll {
                        $0.target == .quota(resource, period) && $0.model == model
                    }
                case .clearRateLimit(let dimension):
                    entries.removeAll { $0.target == .rate(dimension) && $0.model == model }
                }
                state.allowances[subject] = entries
            }
        }
    }

    func allowances(
        on subject: Subject, in organization: OrganizationEntry
    ) throws(AdminFailure) -> [AllowanceEntry] {
        try checked { $0.allowances[subject] ?? [] }
    }

    func charges(
        _ query: ChargeQuery, _ body: (Int64, Timestamp) -> Void
    ) throws(AdminFailure) {
        let charges = try checked { state in
            state.chargeQueries.append(query)
            return state.charges
        }
        for each in charges { body(each.charge, each.admitted) }
    }

    func usage(_ query: UsageQuery) throws(AdminFailure) -> [UsageRow] {
        try checked { state in
            state.queries.append(query)
            return state.nextUsage.isEmpty ? state.usage : state.nextUsage.removeFirst()
        }
    }

    func latency(_ query: UsageQuery, in zone: String) throws(AdminFailure) -> LatencyReport {
        try checked { state in
            state.queries.append(query)
            state.zones.append(zone)
            return LatencyReport(rows: state.latency, dropped: state.dropped)
        }
    }

    func droppedDays(_ query: UsageQuery) throws(AdminFailure) -> DroppedDays? {
        try checked { $0.dropped }
    }

    func export(
        _ query: ExportQuery, from position: ExportPosition
    ) throws(AdminFailure) -> ExportPage {
        try checked { state in
            state.exports.append(query)
            let records = state.pages.isEmpty ? [] : state.pages.removeFirst()
            return ExportPage(
                records: records,
                next: state.pages.isEmpty
                    ? nil : ExportPosition(day: position.day.next, after: position.after))
        }
    }

    func exportCount(_ query: ExportQuery) throws(AdminFailure) -> Int64 {
        try checked { $0.exportCount }
    }

    func audit(
        _ organization: OrganizationEntry?, depth: AuditDepth
    ) throws(AdminFailure) -> AuditReport {
        try checked { $0.audit }
    }

    func explain(
        _ id: RequestID, in organization: OrganizationEntry
    ) throws(AdminFailure) -> ExplainStore.Answer {
        try checked { $0.story }
    }

    func statement(_ query: StatementQuery) throws(AdminFailure) -> Statement {
        try checked { state in
            state.statements.append(query)
            return state.statement
        }
    }

    func daysToDrop(keeping days: Int32) throws(AdminFailure) -> [CalendarDay] {
        try checked { $0.due }
    }

    func dropDays(keeping days: Int32) throws(AdminFailure) -> RetentionReport {
        try checked { state in
            state.drops += 1
            return state.retention
        }
    }

    func nodes() throws(AdminFailure) -> [NodeStatus] { try checked { $0.nodes } }

    func models() throws(AdminFailure) -> [String] { try checked { $0.models } }

    func pricesInForce() throws(AdminFailure) -> [PriceChange] {
        try checked { state in
            var seen: Set<String> = []
            return state.prices.filter { seen.insert("\($0.model) \($0.terms.name)").inserted }
        }
    }

    func priceHistory(of model: String) throws(AdminFailure) -> [PriceChange] {
        try checked { state in state.prices.filter { $0.model == model } }
    }

    func setPrices(_ prices: [PriceTerms: Price?], of model: String) throws(AdminFailure) {
        try checked { state in
            for (terms, price) in prices {
                state.prices.insert(
                    PriceChange(
                        model: model, terms: terms, at: Self.now, source: .command,
                        setBy: "ann@desk", price: price), at: 0)
            }
        }
    }

    func previewReprice(_ order: RepriceOrder) throws(AdminFailure) -> RepriceReport {
        try checked { $0.preview }
    }

    func reprice(_ order: RepriceOrder) throws(AdminFailure) -> RepriceOutcome {
        try checked { state in
            state.orders.append(order)
            return state.repriced
        }
    }

    func writeOffNode(_ node: Int64) throws(AdminFailure) -> WriteOff {
        try checked { state in
            state.writtenOff.append(node)
            return state.writeOff
        }
    }

    func backends() -> [BackendEntry] { change { $0.backends } }

    func backendUsage(_ query: BackendUsageQuery) throws(AdminFailure) -> BackendUsage {
        try checked { state in
            state.backendQueries.append(query)
            return state.backendUsage
        }
    }
}

extension FakeAdminLedger {
    func actions(_ query: ActionQuery) throws(AdminFailure) -> [ActionRecord] {
        try checked { state in
            state.actionQueries.append(query)
            return Array(state.actions.prefix(query.limit))
        }
    }

    func findAction(
        _ id: ActionID, in organization: OrganizationEntry?
    ) throws(AdminFailure) -> ActionRecord? {
        try checked { state in
            state.actions.first {
                $0.id == id && (organization == nil || $0.organization == organization?.name)
            }
        }
    }
}
