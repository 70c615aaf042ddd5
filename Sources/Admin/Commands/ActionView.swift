import Domain
import Ledger

/// Actions as people and programs see them.
enum ActionView {
    /// The fields of an action for programs.
    static let names = [
        "action_id", "at", "action", "author", "author_way", "organization", "subject_kind",
        "subject_id", "subject", "before", "after",
    ]

    /// An action for programs. Ids are strings: many readers of JSON keep only 53 bits of a number.
    static func record(_ action: ActionRecord) -> Record {
        Record(
            names,
            [
                .text(action.id.description), .text(TimeText.iso(action.at)), .text(action.action),
                .text(action.author.name), .text(action.author.way.rawValue),
                .optional(action.organization), .text(action.subject.kind.rawValue),
                .optional(id(action.subject)), .text(action.subject.name),
                action.before.map(Record.Value.facts) ?? .missing,
                action.after.map(Record.Value.facts) ?? .missing,
            ])
    }

    /// Every action on a line.
    static func table(_ actions: [ActionRecord], _ desk: AdminDesk) -> [String] {
        desk.tables.lines(
            columns: [
                .whole("When"), .whole("Action"), .text("Subject", minimum: 12),
                .text("Who", minimum: 8), .whole("Id"),
            ],
            rows: actions.map { action in
                [
                    .text(TimeText.short(action.at)), .text(action.action),
                    .text(place(action)), .text(action.author.name),
                    .text(action.id.description),
                ]
            }, totals: nil)
    }

    /// One action with everything that it found and left: what it changed first.
    static func details(_ action: ActionRecord, _ desk: AdminDesk) -> [String] {
        let formatter = DetailFormatter(width: desk.output.width, style: desk.output.style)
        let number = id(action.subject)
        let subject = action.subject
        let head = formatter.lines(
            [
                ("Action", action.action), ("Id", action.id.description),
                ("When", TimeText.iso(action.at)),
                ("Who", "\(action.author.name) (\(action.author.way.rawValue))"),
                ("Organization", action.organization ?? "none"),
                (
                    QuotedText.capital(subject.kind.rawValue),
                    subject.name
                        + (number == nil || number == subject.name ? "" : " (\(number ?? ""))")
                ),
            ])
        return parts(action).reduce(head) { lines, part in
            lines + ["", desk.output.style.bold(part.title)] + formatter.lines(part.facts)
        }
    }

    /// What an action changed, under headings.
    private static func parts(
        _ action: ActionRecord
    ) -> [(title: String, facts: [(name: String, value: String)])] {
        guard let before = action.before else {
            return [("New", (action.after?.facts ?? []).map { ($0.name, text($0.value)) })]
        }
        guard let after = action.after else {
            return [("Gone", before.facts.map { ($0.name, text($0.value)) })]
        }
        let added = after.facts.map(\.name).filter { before[$0] == nil }
        let names = before.facts.map(\.name) + added
        let changed = names.filter { before[$0] != after[$0] }.map { name in
            (name, "\(text(before[name])) → \(text(after[name]))")
        }
        let same = names.filter { before[$0] == after[$0] }.map { ($0, text(after[$0])) }
        return [("Changed", changed), ("As before", same)].filter { !$0.1.isEmpty }
    }

    private static func text(_ value: ActionState.Value?) -> String {
        switch value {
        case nil: "none"
        case .text(let text): text
        case .number(let number): NumberText.grouped(Int128(number))
        case .flag(let flag): flag ? "yes" : "no"
        case .names(let names): names.isEmpty ? "none" : names.joined(separator: ", ")
        }
    }

    /// `team acme/research`; without the organization where that is the default one.
    private static func place(_ action: ActionRecord) -> String {
        let kind = action.subject.kind
        let owner = kind == .organization ? nil : action.organization
        let prefix = owner.map { $0 == "default" ? "" : $0 + "/" } ?? ""
        return "\(kind.rawValue) \(prefix)\(action.subject.name)"
    }

    /// A subject's id as people know it.
    private static func id(_ subject: ActionSubject) -> String? {
        subject.id.map { number in
            [.key, .adminKey].contains(subject.kind)
                ? KeyID(rawValue: UInt64(bitPattern: number)).description : String(number)
        }
    }
}
