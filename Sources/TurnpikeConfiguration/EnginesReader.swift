/// Reads the section `engines`.
struct EnginesReader {
    let root: Section

    /// Reads what is there; what is left out has its usual value.
    func read() -> EnginesDescription {
        let section = root.section("engines", accepted: ConfigurationKeys.engines)
        return EnginesDescription(
            teamWeights: section.map(weights) ?? [:],
            memoryBudgetMegabytes: section?.optional(
                "memory_budget_megabytes", .whole(1...16_777_216)))
    }

    private func weights(_ section: Section) -> [String: Int64] {
        guard let teams = section.section("team_weights", accepted: nil) else { return [:] }
        var weights: [String: Int64] = [:]
        for name in teams.names {
            guard let weight = teams.optional(name, .whole(1...1000)) else { continue }
            let full = name.contains("/") ? name : "default/\(name)"
            if weights.updateValue(weight, forKey: full) != nil {
                root.list.add(
                    line: teams.line(of: name), key: teams.full(name),
                    "is the team \(full), which has its weight already")
            }
        }
        return weights
    }
}
