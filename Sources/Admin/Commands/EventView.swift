import Domain
import Ledger

/// Events as people and programs see them.
enum EventView {
    /// The fields of an event and its delivery for programs.
    static let names = [
        "event_id", "type", "created_at", "organization", "subject", "subject_name", "key_id",
        "model",
        "resource", "period", "period_start", "threshold_percent", "limit", "used", "webhook",
        "state", "tries", "due_at", "status", "fault", "ended_at",
        "soft",
    ]

    /// An event and its delivery for programs.
    static func record(_ status: EventStatus) -> Record {
        let (event, delivery) = (status.event, status.delivery)
        let (reached, account) = (event.reached, event.reached?.account)
        let isPending = delivery?.state == .pending
        return Record(
            names,
            [
                .text(event.id.description), .text(event.kind.name),
                .text(TimeText.iso(event.createdAt)), .text(event.organizationName),
                .optional(account?.subject.kind.name), .optional(reached?.subjectName),
                .optional(reached?.key?.description), .optional(reached?.model),
                .optional(account?.resource.name),
                .optional(account?.period.name), .optional(account.flatMap(start)),
                .optional(reached?.percent), .optional(reached?.limit), .optional(reached?.used),
                .optional(delivery?.webhook), .optional(delivery?.state.name),
                .optional(delivery?.attempts),
                .optional(isPending ? delivery.map { TimeText.iso($0.dueAt) } : nil),
                .optional(delivery?.status.map { Int64($0) }), .optional(delivery?.fault),
                .optional(delivery?.endedAt.map(TimeText.iso)),
                reached.map { .flag($0.isSoft) } ?? .missing,
            ])
    }

    /// The first day of the account's period; none where it has no first day.
    private static func start(_ account: AccountKey) -> String? {
        account.period == .total ? nil : account.start.description
    }

    /// Every event on a line for each webhook, and how to send dead ones again.
    static func table(_ events: [EventStatus], _ desk: AdminDesk) -> [String] {
        let lines = desk.tables.lines(
            columns: [
                .whole("Created"), .text("What", minimum: 13), .text("Webhook", minimum: 7),
                .whole("State"), .number("Tries", droppedAt: 2), .whole("Event"),
            ],
            rows: events.map { status in
                [
                    .text(TimeText.short(status.event.createdAt)), .text(what(status.event)),
                    .text(status.delivery?.webhook ?? ""),
                    .text(status.delivery?.state.name ?? ""),
                    .text(
                        status.delivery.map { NumberText.grouped(Int128($0.attempts)) } ?? ""),
                    .text(status.event.id.description),
                ]
            }, totals: nil)
        guard events.contains(where: { $0.delivery?.state == .dead }) else { return lines }
        return lines
            + TextWrap.lines(
                "Once the receiver is well again: turnpike admin event redeliver --dead",
                width: desk.output.width)
    }

    /// One event and each of its deliveries.
    static func details(_ found: [EventStatus], _ desk: AdminDesk) -> [String] {
        guard let event = found.first?.event else { return [] }
        var pairs = [
            (name: "Event", value: event.id.description), (name: "Type", value: event.kind.name),
            (name: "Created", value: TimeText.iso(event.createdAt)),
            (name: "Organization", value: event.organizationName),
        ]
        if let reached = event.reached {
            pairs.append((name: "What", value: what(event)))
            pairs.append(
                (
                    name: "Used",
                    value: "\(amount(reached.used, reached)) of \(amount(reached.limit, reached))"
                ))
        }
        for delivery in found.compactMap(\.delivery) {
            pairs.append((name: "Webhook", value: "\(delivery.webhook): \(words(delivery))"))
        }
        if found.allSatisfy({ $0.delivery == nil }) {
            pairs.append((name: "Webhook", value: "none took such events when it happened"))
        }
        return DetailFormatter(width: desk.output.width, style: desk.output.style).lines(pairs)
    }

    /// `3 deliveries`.
    static func deliveries(_ count: Int) -> String {
        count == 1 ? "1 delivery" : "\(NumberText.grouped(Int128(count))) deliveries"
    }

    private static func words(_ delivery: EventStatus.Delivery) -> String {
        let tries = delivery.attempts == 1 ? "1 try" : "\(delivery.attempts) tries"
        let fault = delivery.fault.map { ", \($0)" } ?? ""
        switch delivery.state {
        case .delivered: return "delivered after \(tries)"
        case .pending: return "pending after \(tries)\(fault); next \(TimeText.iso(delivery.dueAt))"
        case .dead: return "dead after \(tries)\(fault)"
        }
    }

    /// `80% tokens/day, team research`: what matters first, since a narrow table cuts the end.
    private static func what(_ event: QuotaEvent) -> String {
        guard let reached = event.reached else { return "test" }
        let account = reached.account
        let model = reached.model.map { "\($0) " } ?? ""
        let soft = reached.isSoft ? " (soft)" : ""
        return
            "\(reached.percent)% \(model)\(account.resource.name)/\(account.period.name)\(soft), "
            + "\(account.subject.kind.name) \(reached.subjectName)"
    }

    private static func amount(_ units: Int64, _ reached: QuotaEvent.Reached) -> String {
        guard reached.account.resource == .cost else {
            return "\(NumberText.grouped(Int128(units))) \(reached.account.resource.name)"
        }
        let decimals = NumberText.neededDecimals(nanoUSD: Int128(units))
        return "$" + NumberText.dollars(nanoUSD: Int128(units), decimals: decimals, grouping: true)
    }
}
