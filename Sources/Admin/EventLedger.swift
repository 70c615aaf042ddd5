import Domain
import Ledger
import TurnpikeConfiguration

/// What is asked of the ledger about events and their webhooks.
protocol EventLedger {
    /// At which parts of a quota the configuration warns.
    func quotaThresholds() -> QuotaThresholds
    /// The webhooks of the configuration.
    func webhooks() -> [WebhookSubscription]
    /// Some of the organization's events, the newest first, one for each webhook they go to; of one
    /// state, or of all.
    func events(
        in organization: OrganizationEntry, state: EventStatus.State?, _ page: ListPage<EventID>
    ) throws(AdminFailure) -> [EventStatus]
    /// One event of the organization with all of its deliveries; nothing where it has none such.
    func event(
        _ id: EventID, in organization: OrganizationEntry
    ) throws(AdminFailure) -> [EventStatus]
    /// Has an event sent once more, or every dead one; returns how many deliveries that are.
    func redeliver(
        _ id: EventID?, to webhook: String?, in organization: OrganizationEntry
    ) throws(AdminFailure) -> Int
    /// Puts down a test for webhooks; returns its id.
    func testWebhooks(
        _ names: [String], in organization: OrganizationEntry
    ) throws(AdminFailure) -> EventID
}

extension ConfiguredLedger {
    func quotaThresholds() -> QuotaThresholds { configuration.quotaWarnings }

    func webhooks() -> [WebhookSubscription] { configuration.webhooks.map(\.subscription) }

    func events(
        in organization: OrganizationEntry, state: EventStatus.State?, _ page: ListPage<EventID>
    ) throws(AdminFailure) -> [EventStatus] {
        try asking { store throws(LedgerError) in
            try store.events.list(organization.id, in: state, page)
        }
    }

    func event(
        _ id: EventID, in organization: OrganizationEntry
    ) throws(AdminFailure) -> [EventStatus] {
        try asking { store throws(LedgerError) in
            try store.events.find(id, of: organization.id)
        }
    }

    func redeliver(
        _ id: EventID?, to webhook: String?, in organization: OrganizationEntry
    ) throws(AdminFailure) -> Int {
        try asking { store throws(LedgerError) in
            try store.events.redeliver(
                id, to: webhook, of: organization.id, named: organization.name)
        }
    }

    func testWebhooks(
        _ names: [String], in organization: OrganizationEntry
    ) throws(AdminFailure) -> EventID {
        try asking { store throws(LedgerError) in
            try store.events.test(
                names, of: organization.id, named: organization.name, at: store.time())
        }
    }
}
