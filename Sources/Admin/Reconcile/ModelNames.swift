/// Finds the model that a provider's name stands for: providers bill a dated snapshot
/// (`gpt-4o-2024-08-06`, `claude-haiku-4-5-20251001`) for what is asked for by its family's name,
/// and Anthropic's cost export writes display names (`Claude Haiku 4.5`).
struct ModelNames {
    private let ours: Set<String>
    private let renames: [String: String]
    private let families: [String: [String]]

    /// Knows the upstream names of this gateway's models, and what an administrator said.
    init(ours: Set<String>, renames: [String: String]) {
        self.ours = ours
        self.renames = renames
        families = Dictionary(grouping: ours, by: Self.family)
    }

    /// Our name of the provider's model: what was said, the same name, or the only one of its
    /// family; the provider's own name when there is none or more than one.
    func ours(_ theirs: String) -> String {
        if let said = renames[theirs] { return said }
        if ours.contains(theirs) { return theirs }
        guard let family = families[Self.family(theirs)], family.count == 1 else { return theirs }
        return family[0]
    }

    /// The name without a date, a vendor or `latest`, in small letters, with hyphens only.
    static func family(_ name: String) -> String {
        let last = name.split(separator: "/").last.map(String.init) ?? name
        let plain = String(
            last.lowercased().map { $0 == " " || $0 == "." || $0 == "@" ? "-" : $0 })
        return plain.replacing(#/-(?:\d{4}-\d\d-\d\d|\d{8}|latest)$/#, with: "")
    }
}
