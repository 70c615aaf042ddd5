import Domain
import Foundation
import Ledger
import Testing

@testable import Admin

@Suite struct `Commands on events` {
    private static func status(
        _ number: UInt64, _ state: EventStatus.State, of organization: OrganizationID = .default
    ) -> EventStatus {
        let account = AccountKey(
            subject: Subject(kind: .team, id: 5), resource: .tokens, period: .day,
            start: FakeAdminLedger.now.day)
        return EventStatus(
            event: QuotaEvent(
                id: EventID(at: FakeAdminLedger.now, random: (number, number)), kind: .warning,
                createdAt: FakeAdminLedger.now, organization: organization,
                organizationName: "default",
                reached: QuotaEvent.Reached(
                    account: account, model: nil, subjectName: "research", key: nil, percent: 80,
                    limit: 1_000_000, used: 803_112)),
            delivery: EventStatus.Delivery(
                webhook: "alerts", state: state, attempts: 10, dueAt: FakeAdminLedger.now,
                status: 500, fault: "it answered 500",
                endedAt: state == .pending ? nil : FakeAdminLedger.now))
    }

    private static func ledger() -> FakeAdminLedger {
        let ledger = FakeAdminLedger()
        ledger.change { state in
            state.events = [
                status(1, .dead), status(2, .pending), status(3, .delivered),
                status(4, .dead, of: OrganizationID(rawValue: 77)),
            ]
            state.webhooks = [
                WebhookSubscription(name: "alerts", organization: nil, kinds: [.warning])
            ]
        }
        return ledger
    }

    @Test func `events are listed within 80 columns, those of a state alone when asked for`() {
        let ledger = Self.ledger()
        let all = CommandRun.of("event list", with: ledger)
        #expect(all.status == 0 && all.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
        #expect(all.output.contains(Self.status(1, .dead).event.id.description))
        #expect(all.output.contains("80% tokens/"), "\(all.output)")
        #expect(all.output.contains("turnpike admin event redeliver --dead"))
        let delivered = CommandRun.of("event list --state delivered --format csv", with: ledger)
        #expect(delivered.output.contains("delivered,10") && !delivered.output.contains("dead"))
        #expect(!all.output.contains(Self.status(4, .dead).event.id.description))
    }

    @Test func `what is wrong is said with what to do, and nothing is sent`() {
        let ledger = Self.ledger()
        let other = Self.status(4, .dead).event.id
        #expect(CommandRun.of("event show \(other)", with: ledger).status == 1)
        #expect(CommandRun.of("event redeliver \(other)", with: ledger).status == 1)
        for words in [
            "event redeliver", "event redeliver \(other) --dead", "event list --state lost",
            "event list --limit 0", "event show evt_1",
        ] {
            #expect(CommandRun.of(words, with: ledger).status == 2, "\(words)")
        }
        #expect(CommandRun.of("event test --webhook none", with: ledger).status == 1)
        ledger.change { $0.webhooks = [] }
        #expect(CommandRun.of("event test", with: ledger).status == 1)
    }

    @Test func `dead events go out again, and a test is put down for every webhook`() {
        let ledger = Self.ledger()
        let again = CommandRun.of("event redeliver --dead --format json", with: ledger)
        #expect(again.output.contains("\"deliveries\": 1"), "\(again.output)")
        let test = CommandRun.of("event test", with: ledger)
        #expect(test.status == 0 && test.output.contains("is on its way to alerts"))
        let shown = CommandRun.of("event show \(Self.status(1, .dead).event.id)", with: ledger)
        #expect(shown.output.contains("803,112 tokens of 1,000,000 tokens"))
        #expect(shown.output.contains("dead after 10 tries, it answered 500"))
    }
}
