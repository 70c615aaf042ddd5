import Domain
import Ledger

extension AdminRoutes {
    // MARK: The record of actions

    private static let newest: [AdminField] = [
        .text("since", "Only since then: 7d, 24h or a date."),
        .text("author", "Only by authors with this in their name."),
        .text(
            "action", "Only of this kind.", values: AdminAction.allCases.map(\.rawValue)),
        .text("before", "Only older than the action of this id: the last of the page before."),
        .integer("limit", "At most so many, 1 to 1000; 50 unless told."),
    ]
    private static let action = AdminField.argument("action", "The action's id.")

    static let actions: [AdminRoute] = [
        AdminRoute(
            method: "GET", path: "v1/organizations/{organization}/actions",
            summary: "List who administered what, the newest first", role: .auditor,
            reach: .organization, command: ActionCommand.List.self,
            answer: .rows(ActionView.names), names: [organization],
            query: [
                .text("team", "Only of this team and its keys."),
                .text("key", "Only of this key, with all its secrets."),
            ] + newest),
        AdminRoute(
            method: "GET", path: "v1/organizations/{organization}/actions/{action}",
            summary: "Show what one action found and what it left", role: .auditor,
            reach: .organization, command: ActionCommand.Show.self,
            answer: .one(ActionView.names), names: [organization, action]),
        AdminRoute(
            method: "GET", path: "v1/actions",
            summary: "List who administered what in all organizations, the newest first",
            role: .auditor, reach: .installation, command: ActionCommand.List.self,
            answer: .rows(ActionView.names), query: newest),
        AdminRoute(
            method: "GET", path: "v1/actions/{action}",
            summary: "Show what one action of any organization found and what it left",
            role: .auditor, reach: .installation, command: ActionCommand.Show.self,
            answer: .one(ActionView.names), names: [action]),
    ]

    // MARK: Events of quotas

    private static let event = AdminField.argument("event", "The event's id.")
    private static let webhook = AdminField.text("webhook", "Only to this webhook.")

    static let events: [AdminRoute] = [
        AdminRoute(
            method: "GET", path: "v1/organizations/{organization}/events",
            summary: "List quotas that reached thresholds, and who was told", role: .auditor,
            reach: .organization, command: EventCommand.List.self, answer: .rows(EventView.names),
            names: [organization],
            query: [
                .text(
                    "state", "Only those in this state.",
                    values: EventCommand.StateOption.allCases.map(\.rawValue)),
                .text("before", "Only older than this event: the last of the page before."),
                .integer("limit", "The most events, 1 to 10000; 50 unless told."),
            ]),
        AdminRoute(
            method: "GET", path: "v1/organizations/{organization}/events/{event}",
            summary: "Show one event, and what became of it", role: .auditor,
            reach: .organization, command: EventCommand.Show.self, answer: .rows(EventView.names),
            names: [organization, event]),
        AdminRoute(
            method: "POST", path: "v1/organizations/{organization}/events/{event}/redeliver",
            summary: "Send an event once more", role: .operator, reach: .organization,
            command: EventCommand.Redeliver.self, answer: .one(["deliveries"]),
            names: [organization, event], body: [webhook]),
        AdminRoute(
            method: "POST", path: "v1/organizations/{organization}/events/redeliver-dead",
            summary: "Send every event once more that nobody took", role: .operator,
            reach: .organization, command: EventCommand.Redeliver.self,
            answer: .one(["deliveries"]), names: [organization], body: [webhook],
            always: ["--dead"]),
        AdminRoute(
            method: "POST", path: "v1/organizations/{organization}/events/test",
            summary: "Send a test event to the webhooks", role: .operator, reach: .organization,
            command: EventCommand.Test.self, answer: .rows(EventView.names),
            names: [organization], body: [webhook]),
    ]
}
