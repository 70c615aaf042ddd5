import Domain
import Ledger

/// What the admin commands ask of the ledger, within one organization at a time: what belongs to
/// another one behaves as if it did not exist.
protocol AdminLedger: SubjectLedger, ReconcilingLedger, AdminKeyLedger, ActionLedger,
    EventLedger, PagingLedger
{
    /// The ledger's clock, by which keys expire and periods end.
    func time() throws(AdminFailure) -> Timestamp

    /// Stores an organization; refused when the name is taken.
    func createOrganization(_ name: String) throws(AdminFailure) -> OrganizationEntry
    /// Every organization, by name.
    func organizations() throws(AdminFailure) -> [OrganizationEntry]
    /// The organization of that name.
    func findOrganization(_ name: String) throws(AdminFailure) -> OrganizationEntry?

    /// Stores a team; refused when the organization has one of that name.
    func createTeam(
        _ name: String, in organization: OrganizationEntry
    ) throws(AdminFailure) -> TeamEntry
    /// The organization's teams, by name.
    func teams(in organization: OrganizationEntry) throws(AdminFailure) -> [TeamEntry]

    /// The organization's team of that name.
    func findTeam(
        _ name: String, in organization: OrganizationEntry
    ) throws(AdminFailure) -> TeamEntry?

    /// Makes a key and hands over its secret, the only time that anybody sees it.
    func mintKey(
        _ order: KeyOrder, for team: TeamEntry, in organization: OrganizationEntry
    ) throws(AdminFailure) -> MintedKeyEntry
    /// The organization's keys by team and age, or one team's; revoked and expired ones too.
    func keys(
        in organization: OrganizationEntry, of team: TeamEntry?
    ) throws(AdminFailure) -> [KeyEntry]
    /// A key of the organization.
    func findKey(_ id: KeyID, in organization: OrganizationEntry) throws(AdminFailure) -> KeyEntry?
    /// Ends a secret for good. Repeating it changes nothing.
    func revokeKey(
        _ id: KeyID, reason: String?, in organization: OrganizationEntry
    ) throws(AdminFailure)

    /// Sets and clears quotas and rate limits of one subject, all or none of them: over all models,
    /// or of one.
    func apply(
        _ changes: [AllowanceChange], to subject: Subject, model: String?,
        in organization: OrganizationEntry
    ) throws(AdminFailure)
    /// The quotas of a subject over all models with their running numbers, then its rate limits, then
    /// those of each single model likewise.
    func allowances(
        on subject: Subject, in organization: OrganizationEntry
    ) throws(AdminFailure) -> [AllowanceEntry]

    /// Calls `body` with the charge and the instant of each request of the past, in order.
    func charges(
        _ query: ChargeQuery, _ body: (_ charge: Int64, _ admitted: Timestamp) -> Void
    ) throws(AdminFailure)
    /// What was used.
    func usage(_ query: UsageQuery) throws(AdminFailure) -> [UsageRow]
    /// How long requests took, in days of that time zone.
    func latency(
        _ query: UsageQuery, in zone: String
    ) throws(AdminFailure) -> LatencyReport
    /// The days of the span whose records were dropped; nil where all are there.
    func droppedDays(_ query: UsageQuery) throws(AdminFailure) -> DroppedDays?
    /// Some of the records of an export.
    func export(
        _ query: ExportQuery, from position: ExportPosition
    ) throws(AdminFailure) -> ExportPage
    /// How many records there were of the hours of an export.
    func exportCount(_ query: ExportQuery) throws(AdminFailure) -> Int64
    /// Proves the books of the organization's shard, or of all shards.
    func audit(
        _ organization: OrganizationEntry?, depth: AuditDepth
    ) throws(AdminFailure) -> AuditReport
    /// The story of the organization's request of that id.
    func explain(
        _ id: RequestID, in organization: OrganizationEntry
    ) throws(AdminFailure) -> ExplainStore.Answer
    /// What a subject had used at an instant of the past.
    func statement(_ query: StatementQuery) throws(AdminFailure) -> Statement
    /// The days whose records retention would drop.
    func daysToDrop(keeping days: Int32) throws(AdminFailure) -> [CalendarDay]
    /// Seals and drops the records of the days before those kept.
    func dropDays(keeping days: Int32) throws(AdminFailure) -> RetentionReport
    /// The models that gateways serve or have served, by name.
    func models() throws(AdminFailure) -> [String]
    /// The prices in force, by model and what they are for; those that were taken away too.
    func pricesInForce() throws(AdminFailure) -> [PriceChange]
    /// Every price that a model ever had, the newest first.
    func priceHistory(of model: String) throws(AdminFailure) -> [PriceChange]
    /// Puts versions of a model's prices in force, or nil for none.
    func setPrices(_ prices: [PriceTerms: Price?], of model: String) throws(AdminFailure)
    /// What a repricing would change.
    func previewReprice(_ order: RepriceOrder) throws(AdminFailure) -> RepriceReport
    /// Prices records anew, by corrections beside them.
    func reprice(_ order: RepriceOrder) throws(AdminFailure) -> RepriceOutcome
    /// Every node that ever had a lane, of all organizations.
    func nodes() throws(AdminFailure) -> [NodeStatus]
    /// Gives what is held for a dead node back to the accounts.
    func writeOffNode(_ node: Int64) throws(AdminFailure) -> WriteOff
}
