/// What becomes of a request's texts. Its description and its mirror tell kinds and numbers, never a
/// text, so that it may reach a log.
public enum PersonalDataDecision: Sendable, CustomStringConvertible, CustomReflectable {
    /// Nothing was found that is not ignored.
    case unchanged
    /// The request must be refused; how much was found of which kind.
    case blocked(PersonalDataCounts)
    /// The backend must see these texts instead, in the order of the request's.
    case replaced(texts: [String], PersonalDataCounts)

    /// What happened and what was found, without a text.
    public var description: String {
        switch self {
        case .unchanged: "unchanged"
        case .blocked(let counts): "blocked: \(counts)"
        case .replaced(_, let counts): "replaced: \(counts)"
        }
    }

    /// Empty, so that `dump` and a debugger's print show no text.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// How much was found of which kind.
public struct PersonalDataCounts: Equatable, Sendable, CustomStringConvertible {
    /// The number of findings of each kind that was found.
    public let byEntity: [EntityType: Int]

    /// Counts findings.
    init(_ findings: some Sequence<EntityFinding>) {
        byEntity = findings.reduce(into: [:]) { $0[$1.entity, default: 0] += 1 }
    }

    /// Whether nothing was found.
    public var isEmpty: Bool { byEntity.isEmpty }

    /// The kinds by name, each with its number.
    public var description: String {
        byEntity.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
}
