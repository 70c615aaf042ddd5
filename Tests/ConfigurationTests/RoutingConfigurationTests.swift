import Domain
import Testing

@testable import TurnpikeConfiguration

@Suite struct RoutingConfigurations {
    private static func targets(_ backends: String) throws -> [RouteTarget] {
        try GoodFile.read(GoodFile.text(replacing: "backends: [local]", with: backends))
            .routes[0].targets
    }

    private static func problems(_ backends: String) throws -> [String] {
        GoodFile.problems(
            of: try GoodFile.text(replacing: "backends: [local]", with: backends))
    }

    @Test func `a list of names is an order without weights`() throws {
        #expect(
            try Self.targets("backends: [openai, local]") == [
                RouteTarget(backend: "openai", weight: nil, upstreamModel: nil),
                RouteTarget(backend: "local", weight: nil, upstreamModel: nil),
            ])
    }

    @Test func `weights and names of the model stand beside names alone`() throws {
        let targets = try Self.targets(
            "backends: [{ name: openai, weight: 9, upstream_model: big }, local]")
        #expect(
            targets == [
                RouteTarget(backend: "openai", weight: 9, upstreamModel: "big"),
                RouteTarget(backend: "local", weight: nil, upstreamModel: nil),
            ])
    }

    @Test func `a weighted backend that is unknown, twice there or misspelt is named`() throws {
        #expect(
            try Self.problems("backends: [{ name: lokal, weight: 1 }]") == [
                "good.yaml:13: models.demo.backends[0]: \"lokal\" is no backend; "
                    + "did you mean \"local\"? there are: local, openai"
            ])
        #expect(
            try Self.problems("backends: [local, { name: local, weight: 1 }]") == [
                "good.yaml:13: models.demo.backends[1]: \"local\" appears twice; give it once"
            ])
        #expect(try Self.problems("backends: [{ name: local, weight: -1 }]").count == 1)
        #expect(try Self.problems("backends: [{ name: local, wieght: 1 }]").count == 1)
    }

    @Test func `an engine's slot is large enough for a weighted model on it`() throws {
        let read = try GoodFile.read(
            GoodFile.text(replacing: "backends: [local]", with: "backends: [{ name: local }]"))
        guard case .localEngine(let engine) = read.backends[0].kind else { return }
        #expect(engine.contextTokens == 1024)
    }

    @Test func `what is said of retries holds, and the rest is as usual`() throws {
        let read = try GoodFile.read(
            GoodFile.text + "\nrouting: { attempts: 4, request_deadline: 90s, retry_percent: 5,"
                + " breaker: { open_time: 1s } }")
        var policy = RoutingPolicy()
        policy.attempts = 4
        policy.deadline = .seconds(90)
        policy.budget.percent = 5
        policy.breaker.openTime = .seconds(1)
        #expect(read.routing == policy)
    }
}

@Suite struct ShadowConfigurations {
    private static let piece = "max_completion_tokens: 512"
    private static let shadow = piece + ", shadow: { backend: openai, percent: 5 }"
    private static let payer = "\nrouting: { shadow_api_key_env: SHADOW, shadow_calls: 2 }"

    @Test func `a shadow names its backend, its share and who pays`() throws {
        let read = try GoodFile.read(
            GoodFile.text(replacing: Self.piece, with: Self.shadow) + Self.payer)
        #expect(read.routes[0].shadow?.target.backend == "openai")
        #expect(read.routes[0].shadow?.percent == 5)
        #expect(read.shadowKeyVariable == "SHADOW" && read.routing.shadowCalls == 2)
    }

    @Test func `a shadow that nobody pays for, or that is no backend, is named`() throws {
        let unpaid = try GoodFile.text(replacing: Self.piece, with: Self.shadow)
        #expect(
            GoodFile.problems(of: unpaid).map { $0.contains("routing.shadow_api_key_env") }
                == [true])
        let unknown = unpaid.replacing("backend: openai", with: "backend: opnai") + Self.payer
        #expect(
            GoodFile.problems(of: unknown).map { $0.contains("did you mean \"openai\"?") }
                == [true])
    }
}
