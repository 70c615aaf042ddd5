/// What the holder of an admin key may do: each role may do what those behind it may.
public enum AdminRole: String, Sendable, CaseIterable, Comparable {
    /// Everything: also organizations, admin keys, and what cannot be undone.
    case owner
    /// Teams, keys, quotas and prices.
    case `operator`
    /// Reads, and changes nothing.
    case auditor

    /// The number in the ledger.
    public var code: Int16 {
        switch self {
        case .owner: 1
        case .operator: 2
        case .auditor: 3
        }
    }

    /// The role of a number in the ledger; nil for a number that is none.
    public init?(code: Int16) {
        guard let role = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = role
    }

    /// Whether one role may do less than another.
    public static func < (one: AdminRole, other: AdminRole) -> Bool { one.code > other.code }
}
