/// What the local engines share, as the configuration describes it.
public struct EnginesDescription: Sendable, Hashable {
    /// How many shares of the slots a team has, by `ORGANIZATION/TEAM`; one where it is not named.
    public var teamWeights: [String: Int64]
    /// What they may take of the machine's memory together, in megabytes; nil is as much as there is.
    public var memoryBudgetMegabytes: Int64?
}
