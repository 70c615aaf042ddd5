import Domain

/// Reads the backends of a model: names in order of preference, or groups of keys with weights, also
/// side by side.
struct TargetsReader {
    let section: Section

    /// One target and the line on which it stands.
    struct Found {
        let target: RouteTarget
        let line: Int
    }

    /// Reads the list; what is wrong with an entry is noted and leaves it out.
    func read() -> [Found] {
        guard let items = section.items("backends", words: Self.words) else { return [] }
        return items.enumerated().compactMap { index, item in
            let key = "\(section.full("backends"))[\(index)]"
            if case .mapping = item.content {
                return Section(
                    item, path: key, accepted: ConfigurationKeys.target, list: section.list
                ).flatMap(weighted)
            }
            return section.read(item, key: key, Self.name).map {
                Found(
                    target: RouteTarget(backend: $0, weight: nil, upstreamModel: nil),
                    line: item.line)
            }
        }
    }

    private func weighted(_ entry: Section) -> Found? {
        guard let name = entry.required("name", Self.name) else { return nil }
        return Found(
            target: RouteTarget(
                backend: name, weight: entry.optional("weight", .whole(0...1_000_000)),
                upstreamModel: entry.optional(
                    "upstream_model", .text("the name this backend knows the model by"))),
            line: entry.line)
    }

    static let name = Accepted<String>.text("a name from the section backends")
    private static let words = """
        a list, each a name from the section backends, or { name: NAME, weight: NUMBER }
        """
}
