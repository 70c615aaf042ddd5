import Domain
import Ledger

@testable import Admin

/// Events as the ledger keeps them, of one organization.
extension FakeAdminLedger {
    func quotaThresholds() -> QuotaThresholds { .usual }

    func webhooks() -> [WebhookSubscription] { change { $0.webhooks } }

    func events(
        in organization: OrganizationEntry, state: EventStatus.State?, _ page: ListPage<EventID>
    ) throws(AdminFailure) -> [EventStatus] {
        try checked { fake in
            let own = fake.events.filter { $0.event.organization == organization.id }
            return Array(
                own.filter { status in
                    (state == nil || status.delivery?.state == state)
                        && (page.after.map { status.event.id.rawValue < $0.rawValue } ?? true)
                }.prefix(page.limit))
        }
    }

    func event(
        _ id: EventID, in organization: OrganizationEntry
    ) throws(AdminFailure) -> [EventStatus] {
        try checked { fake in
            fake.events.filter { $0.event.id == id && $0.event.organization == organization.id }
        }
    }

    func redeliver(
        _ id: EventID?, to webhook: String?, in organization: OrganizationEntry
    ) throws(AdminFailure) -> Int {
        try checked { fake in
            fake.events.count { status in
                guard let delivery = status.delivery,
                    status.event.organization == organization.id
                else { return false }
                return (id.map { $0 == status.event.id } ?? (delivery.state == .dead))
                    && (webhook.map { $0 == delivery.webhook } ?? true)
            }
        }
    }

    func testWebhooks(
        _ names: [String], in organization: OrganizationEntry
    ) throws(AdminFailure) -> EventID {
        try checked { fake in
            let id = EventID(at: Self.now, random: (1, 2))
            let event = QuotaEvent(
                id: id, kind: .test, createdAt: Self.now, organization: organization.id,
                organizationName: organization.name, reached: nil)
            fake.events += names.map {
                EventStatus(
                    event: event,
                    delivery: EventStatus.Delivery(
                        webhook: $0, state: .pending, attempts: 0, dueAt: Self.now, status: nil,
                        fault: nil, endedAt: nil))
            }
            return id
        }
    }
}
