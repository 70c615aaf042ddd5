import Domain

/// Reads the section `routing`.
struct RoutingReader {
    let root: Section

    /// The policy, with its usual values where nothing is said.
    func read() -> RoutingPolicy {
        var policy = RoutingPolicy()
        guard let section = root.section("routing", accepted: ConfigurationKeys.routing) else {
            return policy
        }
        policy.attempts = section.value("attempts", .whole(1...10), usual: policy.attempts)
        policy.deadline = section.optional(
            "request_deadline", .duration(.milliseconds(10) ... .seconds(3600)))
        let wait = Accepted<Duration>.duration(.milliseconds(1) ... .seconds(60))
        policy.backoff = section.value("backoff", wait, usual: policy.backoff)
        policy.longestBackoff = section.value(
            "longest_backoff", wait, usual: policy.longestBackoff)
        policy.budget.percent = section.value(
            "retry_percent", .whole(0...100), usual: policy.budget.percent)
        policy.budget.floor = section.value(
            "retry_floor", .whole(0...10_000), usual: policy.budget.floor)
        policy.showsBackends = section.value(
            "shows_backends", .yesOrNo, usual: policy.showsBackends)
        policy.shadowCalls = section.value(
            "shadow_calls", .whole(1...1024), usual: policy.shadowCalls)
        policy.breaker = breaker(section, usual: policy.breaker)
        return policy
    }

    /// The variable that holds the key which pays for copies of requests, which one must name whose
    /// routes have shadows.
    func readShadowKey(for routes: [ModelRoute]) -> String? {
        // What else is wrong with the section is noted when the policy is read.
        let silent = ProblemList(file: root.list.file, environment: root.list.environment)
        let routing = root.section("routing", accepted: nil, notingIn: silent)
        let isThere = routing?.names.contains("shadow_api_key_env") ?? false
        if !isThere, let shadowed = routes.first(where: { $0.shadow != nil }) {
            root.list.add(
                line: root.line(of: "models"), key: "models.\(shadowed.alias).shadow",
                "needs routing.shadow_api_key_env, the variable that holds a key of this gateway, "
                    + "whose team pays for the copies")
        }
        return root.section("routing", accepted: ConfigurationKeys.routing, notingIn: silent)?
            .optional("shadow_api_key_env", .environmentName)
    }

    private func breaker(
        _ routing: Section, usual: CircuitBreaker.Limits
    ) -> CircuitBreaker.Limits {
        var limits = usual
        guard let section = routing.section("breaker", accepted: ConfigurationKeys.breaker) else {
            return limits
        }
        let time = Accepted<Duration>.duration(.milliseconds(100) ... .seconds(600))
        limits.window = section.value("window", time, usual: limits.window)
        limits.minimumCalls = section.value(
            "minimum_calls", .whole(1...100_000), usual: limits.minimumCalls)
        limits.failurePercent = section.value(
            "failure_percent", .whole(1...100), usual: limits.failurePercent)
        limits.consecutiveFailures = section.value(
            "consecutive_failures", .whole(1...100_000), usual: limits.consecutiveFailures)
        limits.openTime = section.value("open_time", time, usual: limits.openTime)
        limits.longestOpenTime = section.value(
            "longest_open_time", time, usual: limits.longestOpenTime)
        return limits
    }
}
