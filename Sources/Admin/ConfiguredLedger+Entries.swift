import Domain
import Ledger

extension ConfiguredLedger {
    func export(
        _ query: ExportQuery, from position: ExportPosition
    ) throws(AdminFailure) -> ExportPage {
        try asking { store throws(LedgerError) in
            try store.reports.export(query, from: position)
        }
    }

    func latency(_ query: UsageQuery, in zone: String) throws(AdminFailure) -> LatencyReport {
        try asking { store throws(LedgerError) in try store.reports.latency(query, in: zone) }
    }

    func droppedDays(_ query: UsageQuery) throws(AdminFailure) -> DroppedDays? {
        try asking { store throws(LedgerError) in try store.reports.droppedDays(query) }
    }

    func exportCount(_ query: ExportQuery) throws(AdminFailure) -> Int64 {
        try asking { store throws(LedgerError) in try store.reports.exportCount(query) }
    }

    /// A key as the commands show it.
    static func entry(_ record: KeyRecord) -> KeyEntry {
        KeyEntry(
            id: record.id, name: record.name, team: record.teamName, subject: record.subjectID,
            state: record.state, last4: record.last4, models: record.models,
            streamsUsage: record.alwaysUsage, mirrorsReasoning: record.mirrorsReasoning,
            createdAt: record.createdAt,
            expiresAt: record.notAfter, revokedAt: record.revokedAt,
            revokeReason: record.revokeReason, suspended: record.suspended,
            suspendReason: record.suspendReason, replacedBy: record.replacedBy,
            endpoints: record.endpoints, tags: record.tags,
            defaultCompletionTokens: record.defaultCompletionTokens, clamps: record.clamps,
            pepper: record.pepperID,
            lastUsedAt: record.lastUsedAt)
    }

    /// A quota as the commands show it.
    static func entry(_ status: QuotaStatus) -> AllowanceEntry {
        AllowanceEntry(
            target: .quota(status.quota.resource, status.quota.period), model: status.quota.model,
            limit: status.quota.limit, ridesOutages: status.quota.ridesOutages,
            numbers: AllowanceEntry.Numbers(
                used: status.used, reserved: status.reserved, leased: status.leased,
                left: status.left, resetsAt: status.resetsAt),
            isSoft: status.quota.isSoft)
    }

    /// A rate limit as the commands show it.
    static func entry(_ rate: RateLimit) -> AllowanceEntry {
        AllowanceEntry(
            target: .rate(rate.dimension), model: rate.model, limit: rate.limit, ridesOutages: nil,
            numbers: nil)
    }

    /// What holds over all models first, then what is of one model, by name; otherwise as it was.
    static func inOrder(_ entries: [AllowanceEntry]) -> [AllowanceEntry] {
        Dictionary(grouping: entries) { $0.model ?? "" }.sorted { $0.key < $1.key }
            .flatMap(\.value)
    }
}

extension ConfiguredLedger {
    func audit(
        _ organization: OrganizationEntry?, depth: AuditDepth
    ) throws(AdminFailure) -> AuditReport {
        try asking { store throws(LedgerError) in
            try store.auditor.audit(organization?.id.shard, depth: depth)
        }
    }

    func charges(
        _ query: ChargeQuery, _ body: (Int64, Timestamp) -> Void
    ) throws(AdminFailure) {
        try asking { store throws(LedgerError) in try store.charges.read(query, body) }
    }

    func explain(
        _ id: RequestID, in organization: OrganizationEntry
    ) throws(AdminFailure) -> ExplainStore.Answer {
        try asking { store throws(LedgerError) in
            try store.stories.explain(id, organization: organization.id)
        }
    }

    func statement(_ query: StatementQuery) throws(AdminFailure) -> Statement {
        try asking { store throws(LedgerError) in try store.statements.statement(query) }
    }

    func daysToDrop(keeping days: Int32) throws(AdminFailure) -> [CalendarDay] {
        try asking { store throws(LedgerError) in try store.retention.due(keeping: days) }
    }

    func dropDays(keeping days: Int32) throws(AdminFailure) -> RetentionReport {
        try asking { store throws(LedgerError) in try store.retention.drop(keeping: days) }
    }

    func models() throws(AdminFailure) -> [String] {
        try asking { store throws(LedgerError) in try store.prices.models() }
    }

    func pricesInForce() throws(AdminFailure) -> [PriceChange] {
        try asking { store throws(LedgerError) in try store.prices.inForce() }
    }

    func priceHistory(of model: String) throws(AdminFailure) -> [PriceChange] {
        try asking { store throws(LedgerError) in try store.prices.history(of: model) }
    }

    func setPrices(_ prices: [PriceTerms: Price?], of model: String) throws(AdminFailure) {
        try asking { store throws(LedgerError) in
            try store.prices.set(prices, of: model)
        }
    }

    func previewReprice(_ order: RepriceOrder) throws(AdminFailure) -> RepriceReport {
        try asking { store throws(LedgerError) in try store.repricing.preview(order) }
    }

    func reprice(_ order: RepriceOrder) throws(AdminFailure) -> RepriceOutcome {
        try asking { store throws(LedgerError) in try store.repricing.apply(order) }
    }

    func nodes() throws(AdminFailure) -> [NodeStatus] {
        try asking { store throws(LedgerError) in try store.nodes.list() }
    }

    func writeOffNode(_ node: Int64) throws(AdminFailure) -> WriteOff {
        try asking { store throws(LedgerError) in try store.nodes.writeOff(node) }
    }
}

extension AdminFailure {
    /// Translates what the ledger said, at the border of this room. `configuration` is the file
    /// that named it.
    init(_ error: LedgerError, configuration: String) {
        let file = DisplayWidth.printable(configuration)
        self =
            switch error {
            case .unreachable:
                AdminFailure(
                    status: .unreachable, message: "The ledger's database cannot be reached.",
                    advice: "Check that Postgres runs and that `database` in \(file) is right. "
                        + Self.oneLine(error.debugDescription))
            case .conflicted:
                .refused(
                    "Others kept changing the same rows of the ledger at the same moment.",
                    advice: "Nothing was changed. Try again."
                ).because(.conflicted)
            case .uncertain:
                AdminFailure(
                    status: .unreachable,
                    message: "The connection was lost during a change, which may have happened.",
                    advice: "Look before repeating it, with the `list` or `show` command.",
                    cause: .uncertain)
            case .database:
                .refused(
                    "The ledger's database refused.", advice: Self.oneLine(error.debugDescription)
                ).because(.broken)
            case .exists(let what, let name):
                .refused(
                    "There is a \(what) \(QuotedText.quoted(name)) already.",
                    advice: "Nothing was changed."
                ).because(.taken)
            case .missing(let what, let name):
                .refused(
                    "There is no \(what) \(QuotedText.quoted(name)).",
                    advice: "Nothing was changed."
                ).because(.missing)
            case .repeated(let id):
                .refused("That was made before.", advice: nil).because(.repeated(id))
            case .reused:
                .refused(
                    "The word for this creation stands for another request.",
                    advice: "Nothing was changed."
                ).because(.reused)
            case .invalid(let rule):
                .wrongUsage(
                    "That cannot be done: \(rule).",
                    advice: "Nothing was changed. See the command's --help.")
            case .refused(let reason):
                .refused(QuotedText.sentence(reason), advice: "Nothing was changed.")
            case .schema(let state):
                .refused("The database is not ready.", advice: state.description)
                    .because(.broken)
            case .migrationFailed:
                .refused("A migration failed.", advice: Self.oneLine(error.debugDescription))
                    .because(.broken)
            }
    }

    /// What the database said, on one line without anything that could disturb a terminal.
    private static func oneLine(_ text: String) -> String {
        DisplayWidth.printable(text.split(whereSeparator: \.isWhitespace).joined(separator: " "))
    }
}
