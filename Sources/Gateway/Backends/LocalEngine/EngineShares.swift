/// How the slots of the local engines are divided between teams.
public struct EngineShares: Sendable, Hashable {
    /// How many shares a team has, by `ORGANIZATION/TEAM`; one where it is not named.
    public var weights: [String: Int64]

    /// Shares; without a weight for anybody they are equal.
    public init(weights: [String: Int64] = [:]) { self.weights = weights }

    /// The shares of the team that pays for a call.
    func weight(of team: BackendCall.Team) -> Int64 { max(1, weights[team.name] ?? 1) }
}
