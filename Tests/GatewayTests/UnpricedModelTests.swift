import Domain
import Testing

@testable import Gateway

/// A model without a price beside a limit on money.
@Suite struct UnpricedModelTests {
    private func answer(
        price: Price?, _ resource: Resource
    ) async throws -> (text: String, isAdmitted: Bool) {
        let quota = Quota(
            subject: Subject(kind: .team, id: 7), resource: resource, period: .month,
            limit: 1_000_000_000)
        let principal = Principal(
            shard: Shard(rawValue: 0), organization: .default, team: TeamID(rawValue: 7),
            key: KeyID(rawValue: 42), keySubject: 42, allowedModels: nil,
            defaultCompletionTokens: nil, alwaysShowsUsage: false, quotas: [quota],
            rateLimits: [])
        let route = ModelRoute(
            alias: "tiny", backends: ["local"], upstreamModel: "m", contextTokens: 1024,
            maximumCompletionTokens: 512, imageTokens: nil, price: price)
        let backend = ScriptedBackend(.text(["x"], TokenUsage(prompt: 3, completion: 1)))
        var text = ""
        var isAdmitted = false
        try await withGateway(backend: backend, principal: principal, routes: [route]) { gateway in
            text = try await gateway.post(RunningGateway.plain)
            isAdmitted = !gateway.ledger.admissions.elements.isEmpty
        }
        return (text, isAdmitted)
    }

    @Test func `is refused under a quota of cost, before anything is reserved`() async throws {
        let refused = try await answer(price: nil, .cost)
        #expect(refused.text.hasPrefix("HTTP/1.1 403 "), "\(refused.text)")
        #expect(refused.text.contains(#""code":"model_not_priced""#))
        #expect(!refused.isAdmitted)
    }

    @Test func `serves under other quotas, and one that is free serves under any`() async throws {
        let free = Price(
            version: 1, prompt: .zero, cached: .zero, cacheWrite: .zero, completion: .zero)
        for (price, resource) in [(nil, Resource.tokens), (free, .cost)] as [(Price?, Resource)] {
            let served = try await answer(price: price, resource)
            #expect(served.text.hasPrefix("HTTP/1.1 200 "), "\(served.text)")
            #expect(served.isAdmitted)
        }
    }
}
