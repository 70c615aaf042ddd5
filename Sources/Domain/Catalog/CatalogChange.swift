/// How two lists of routes differ, by alias: what an operator is told of a reload.
public struct CatalogChange: Sendable, Hashable {
    /// Aliases that are new.
    public let added: [String]
    /// Aliases that are gone.
    public let removed: [String]
    /// Aliases that stand for something else now.
    public let changed: [String]

    /// Compares two lists; each is in the order of its own list.
    public init(from before: [ModelRoute], to after: [ModelRoute]) {
        let old = Dictionary(before.map { ($0.alias, $0) }) { _, later in later }
        let new = Set(after.map(\.alias))
        added = after.map(\.alias).filter { old[$0] == nil }
        removed = before.map(\.alias).filter { !new.contains($0) }
        changed = after.filter { route in old[route.alias].map { $0 != route } ?? false }
            .map(\.alias)
    }
}
