import Domain
import Ledger

/// What the rows of a usage report are called, for people and programs.
struct UsageGroupLabel {
    /// What a row stands for.
    let grouping: UsageQuery.Grouping
    /// Whose days and hours.
    let place: LocalTime

    /// What stands in the place of a tag for keys without one.
    private static let untagged = "(no tag)"

    /// The column that says which row it is.
    var column: TableColumn {
        switch grouping {
        case .day: .whole("Day")
        case .hour: .whole(place.isUTC ? "Hour (UTC)" : "Hour")
        case .month: .whole("Month")
        case .model: .text("Model", minimum: 8)
        case .team: .text("Team", minimum: 8)
        case .tag: .text("Tag", minimum: 8)
        case .key: .whole("Key")
        case .endState: .whole("End state")
        }
    }

    /// A row's name for people.
    func text(_ group: UsageRow.Group) -> String {
        switch group {
        case .day(let day): day.description
        case .hour(let hour): "\(place.day(of: hour)) " + TimeText.clock(place.shown(hour))
        case .month(let first): UsageView.month(first)
        case .model(let name), .team(let name): name
        case .tag(let tag): tag ?? Self.untagged
        case .key(let id, _, _): id.description
        case .endState(let state): state.name
        }
    }

    /// The names of the fields that say which row it is.
    var names: [String] {
        switch grouping {
        case .key: ["key", "key_name", "team"]
        case .endState: ["end_state"]
        case .day, .hour, .month, .model, .team, .tag: [grouping.rawValue]
        }
    }

    /// The values of those fields.
    func values(_ group: UsageRow.Group) -> [Record.Value] {
        switch group {
        case .day(let day): [.text(day.description)]
        case .hour(let hour): [.text(place.iso(hour))]
        case .month(let first): [.text(UsageView.month(first))]
        case .model(let name), .team(let name): [.text(name)]
        case .tag(let tag): [.optional(tag)]
        case .endState(let state): [.text(state.name)]
        case .key(let id, let name, let team):
            [.text(id.description), .text(name), .text(team)]
        }
    }
}
