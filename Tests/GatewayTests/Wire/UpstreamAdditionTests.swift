import Domain
import Foundation
import Testing

@testable import Gateway

/// Searches of the web (`web_search_options`) and the upstream's moderation (`moderation`).
@Suite struct UpstreamAdditions {
    private let openAI = Dialect.openAI(bound: .maxTokens)
    private let moderates = Dialect.openAI(bound: .maxTokens, extras: [.moderation])

    // MARK: Searching

    @Test(arguments: [
        (#"{}"#, WebSearch()),
        (
            #"{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Rome","country":"IT","region":"Lazio","timezone":"Europe/Rome"}}}"#,
            WebSearch(
                contextSize: .low,
                place: .init(
                    city: "Rome", country: "IT", region: "Lazio", timezone: "Europe/Rome"))
        ),
    ])
    func `a search is told as it was asked for, and refused by what cannot search`(
        _ options: String, _ search: WebSearch
    ) throws {
        let request = try readRequest(#""web_search_options":\#(options)"#)
        #expect(request.webSearch == search)
        let sent = try forwardedBody(openAI) { $0.webSearch = search }["web_search_options"]
        let wanted = try JSONSerialization.jsonObject(with: Data(options.utf8))
        #expect(sent as? NSDictionary == wanted as? NSDictionary)
        #expect(openAI.unsupportedParameter(in: request) == nil)
        #expect(Dialect.llamaServer.unsupportedParameter(in: request) == "web_search_options")
    }

    private static let refused: [RefusedMembers] = [
        .init(#""web_search_options":[]"#, "web_search_options", .invalidType),
        .init(
            #""web_search_options":{"search_context_size":"all"}"#,
            "web_search_options.search_context_size", .invalidValue),
        .init(
            #""web_search_options":{"user_location":{}}"#,
            "web_search_options.user_location.type", .missingRequiredParameter),
        .init(
            #""web_search_options":{"user_location":{"type":"exact"}}"#,
            "web_search_options.user_location.type", .invalidValue),
        .init(
            #""web_search_options":{"user_location":{"type":"approximate"}}"#,
            "web_search_options.user_location.approximate", .missingRequiredParameter),
        .init(
            #""web_search_options":{"user_location":{"type":"approximate","approximate":{"country":"ITA"}}}"#,
            "web_search_options.user_location.approximate.country", .invalidValue),
        .init(#""moderation":true"#, "moderation", .invalidType),
        .init(#""moderation":{}"#, "moderation.model", .missingRequiredParameter),
        .init(
            #""moderation":{"model":"m","policy":{"input":{}}}"#,
            "moderation.policy.input.mode", .missingRequiredParameter),
        .init(
            #""moderation":{"model":"m","policy":{"output":{"mode":"burn"}}}"#,
            "moderation.policy.output.mode", .invalidValue),
    ]

    @Test(arguments: refused) func `a wrong one is refused with its path`(
        _ row: RefusedMembers
    ) throws {
        try row.check()
    }

    private static func route(_ price: Price?, _ terms: SearchTerms?) -> ModelRoute {
        var route = ModelRoute(
            alias: "tiny", backends: ["local"], upstreamModel: "t", contextTokens: 1024,
            maximumCompletionTokens: 512, imageTokens: nil, price: price)
        route.search = terms
        return route
    }

    private static let price = Price(
        version: 1, prompt: NanoUSD(rawValue: 1_000_000), cached: NanoUSD(rawValue: 1_000_000),
        cacheWrite: NanoUSD(rawValue: 1_000_000), completion: NanoUSD(rawValue: 2_000_000))

    @Test func `a search is reserved and charged with its fee, and what it finds is in the bound`()
        async throws
    {
        let fee = NanoUSD(rawValue: 25_000_000)
        let backend = ScriptedBackend(.text(["x"], TokenUsage(prompt: 3, completion: 1)))
        let route = Self.route(Self.price, SearchTerms(promptTokens: 100, fee: fee))
        try await withGateway(backend: backend, routes: [route]) { gateway in
            for members in ["", #","web_search_options":{}"#] {
                let answer = try await gateway.post(
                    #"{"model":"tiny","messages":"hi","max_tokens":8\#(members)}"#)
                #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
            }
            let admissions = gateway.ledger.admissions.elements
            let (plain, searching) = (admissions[0], admissions[1])
            #expect(searching.bound.prompt - plain.bound.prompt == 100)
            #expect(
                searching.units(of: .cost) - plain.units(of: .cost) == fee.rawValue + 100)
            let prices = [plain, searching].map { $0.price }
            #expect(prices[0]?.version == 1 && prices[1]?.version != 1)
            let settlement = try #require(gateway.ledger.settlements.elements.last)
            let charge = Charge(settlement, bound: searching.bound, price: searching.price)
            #expect(charge.cost.rawValue == 5 + fee.rawValue)
        }
    }

    @Test(
        arguments: [
            (nil, price, 400), (SearchTerms(promptTokens: 0, fee: nil), price, 400),
            (SearchTerms(promptTokens: 0, fee: nil), nil, 200), (nil, nil, 400),
        ] as [(SearchTerms?, Price?, Int)])
    func `a model that does not say what a search costs does not search`(
        _ terms: SearchTerms?, _ price: Price?, _ status: Int
    ) async throws {
        let backend = ScriptedBackend(.text(["x"], nil))
        try await withGateway(backend: backend, routes: [Self.route(price, terms)]) { gateway in
            let answer = try await gateway.post(
                #"{"model":"tiny","messages":"hi","web_search_options":{}}"#)
            #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(answer)")
            guard status == 400 else { return }
            #expect(
                answer.contains(
                    #""param":"web_search_options","code":"unsupported_parameter""#))
            #expect(gateway.ledger.admissions.elements.isEmpty)
        }
    }

    // MARK: Moderation

    private static let report =
        #"{"input":{"type":"moderation_results","model":"omni","results":[{"type":"moderation_result","model":"omni","flagged":true,"categories":{"hate":true,"violence":false},"category_scores":{"hate":0.75,"violence":0.25},"category_applied_input_types":{"hate":["text"],"violence":[]}}]},"output":{"type":"error","code":"moderation_failed","message":"The upstream could not moderate this text."}}"#

    @Test func `moderation goes to upstreams that moderate, and is refused elsewhere`() throws {
        let asked =
            #"{"model":"omni","policy":{"input":{"mode":"score"},"output":{"mode":"block"}}}"#
        let request = try readRequest(#""moderation":\#(asked)"#)
        #expect(
            request.moderation == ModerationRequest(model: "omni", input: .score, output: .block))
        let sent = try forwardedBody(moderates) { $0.moderation = request.moderation }["moderation"]
        let wanted = try JSONSerialization.jsonObject(with: Data(asked.utf8))
        #expect(sent as? NSDictionary == wanted as? NSDictionary)
        #expect(moderates.unsupportedParameter(in: request) == nil)
        for dialect in [openAI, .llamaServer] {
            #expect(dialect.unsupportedParameter(in: request) == "moderation")
        }
        let bare = try readRequest(#""moderation":{"model":"omni","policy":{}}"#)
        #expect(bare.moderation == ModerationRequest(model: "omni"))
        #expect(try readRequest(#""moderation":null"#) == readRequest(""))
    }

    @Test(arguments: [false, true])
    func `what it found is told, but for the upstream's own words`(_ streams: Bool) async throws {
        let told = Self.report.replacingOccurrences(of: "moderation_failed", with: "host_10_0_0_1")
            .replacingOccurrences(of: "The upstream could not", with: "10.0.0.1 could not")
        let decoder = ChatChunkDecoder(
            maximumBytes: 4096, readsTimings: false, alternatives: nil, secrets: [],
            tells: .init(moderation: true))
        let events =
            streams
            ? try [
                #"{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}"#,
                #"{"choices":[],"moderation":\#(told)}"#,
            ].compactMap { try decoder.decodeChunk(Array($0.utf8)[...]) }
            : [
                try decoder.decodeAnswer(
                    Array(
                        #"{"choices":[{"index":0,"message":{"content":"x"}}],"moderation":\#(told)}"#
                            .utf8))
            ]
        let answer = FedAnswer(events.map { [$0] }, ends: true)
        try await withGateway(backend: ScriptedBackend(.answer(answer))) { gateway in
            let text = try await gateway.post(
                #"{"model":"tiny","messages":"hi","stream":\#(streams),"moderation":{"model":"omni"}}"#
            )
            #expect(text.contains(#""moderation":\#(Self.report)"#), "\(text)")
            #expect(!streams || text.contains("[DONE]"))
        }
    }

    // MARK: Service tiers

    private static func tier(_ amount: Int64) -> Price {
        let amount = NanoUSD(rawValue: amount * 1_000_000)
        return Price(
            version: amount.rawValue, prompt: amount, cached: amount, cacheWrite: amount,
            completion: amount)
    }

    @Test(arguments: [
        ("priority", ServiceTier.standard, 20), ("priority", .priority, 90),
        ("flex", .standard, 10),
        ("auto", .flex, 10), ("auto", .priority, 20), ("priority", .scale, 90),
    ])
    func `a request is charged as it was served, where that is priced and cheaper`(
        _ asked: String, _ served: ServiceTier, _ cost: Int64
    ) async throws {
        var route = Self.route(Self.tier(2), nil)
        route.tiers = [.priority: Self.tier(9), .flex: Self.tier(1)]
        var event = BackendEvent(
            deltas: [ChoiceDelta(index: 0, content: "x", finishReason: .stop)],
            usage: TokenUsage(prompt: 6, completion: 4))
        event.serviceTier = served
        let answer = FedAnswer([[event]], ends: true)
        try await withGateway(backend: ScriptedBackend(.answer(answer)), routes: [route]) {
            gateway in
            let text = try await gateway.post(
                #"{"model":"tiny","messages":"hi","service_tier":"\#(asked)"}"#)
            #expect(text.contains(#""service_tier":"\#(served.rawValue)""#))
            let admission = try #require(gateway.ledger.admissions.elements.first)
            let settlement = try #require(gateway.ledger.settlements.elements.first)
            let charge = Charge(settlement, bound: admission.bound, price: admission.price)
            #expect(charge.cost.rawValue == cost, "\(text)")
            #expect(charge.cost.rawValue <= admission.units(of: .cost))
        }
    }
}
