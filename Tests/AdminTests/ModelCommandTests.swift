import Domain
import Foundation
import Ledger
import Testing

@testable import Admin

@Suite struct `Commands on models` {
    private static func price(_ prompt: Int64, _ completion: Int64) -> Price {
        Price(
            alias: "gpt-4o", prompt: NanoUSD(rawValue: prompt),
            cached: NanoUSD(rawValue: prompt / 2), cacheWrite: NanoUSD(rawValue: prompt),
            completion: NanoUSD(rawValue: completion))
    }

    private static func ledger() -> FakeAdminLedger {
        let ledger = FakeAdminLedger()
        ledger.change { state in
            state.models = ["demo", "gpt-4o"]
            state.prices = [
                PriceChange(
                    model: "gpt-4o", terms: .usual, at: FakeAdminLedger.now, source: .command,
                    setBy: "ann@desk",
                    price: price(2_500_000_000, 10_000_000_000).adding(
                        audioPrompt: NanoUSD(rawValue: 40_000_000_000),
                        audioCompletion: NanoUSD(rawValue: 80_000_000_000))),
                PriceChange(
                    model: "gpt-4o", terms: .search, at: FakeAdminLedger.now, source: .file,
                    setBy: "gateway a",
                    price: .searchFee(NanoUSD(rawValue: 25_000_000), alias: "gpt-4o")),
                PriceChange(
                    model: "gpt-4o", terms: .usual,
                    at: FakeAdminLedger.now + .seconds(-86_400), source: .file,
                    setBy: "gateway a", price: price(3_000_000_000, 12_000_000_000)),
            ]
        }
        return ledger
    }

    @Test func `prices in force are listed by class within 80 columns, the search fee too`()
        throws
    {
        let run = CommandRun.of("model list", with: Self.ledger())
        #expect(run.output.contains("0.025") && run.output.contains("no price"))
        #expect(run.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
        let json = CommandRun.of("model list --format json", with: Self.ledger()).output
        let rows = try #require(
            try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
        #expect(rows.map { $0["terms"] as? String } == ["usual", "search", nil])
        #expect(rows[0]["audio_completion_nanousd"] as? Int == 80_000_000_000)
        #expect(rows[1]["search_fee_nanousd"] as? Int == 25_000_000)
        #expect(rows[0]["price_version"] is String)
    }

    @Test func `a model's prices are shown with who set them and when`() {
        let run = CommandRun.of("model show gpt-4o", with: Self.ledger())
        #expect(run.status == 0 && run.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
        #expect(run.output.contains("by command, ann@desk"))
        #expect(run.output.contains("by file, gateway a"), "\(run.output)")
        let unknown = CommandRun.of("model show nobody", with: Self.ledger())
        #expect(unknown.status == 1 && unknown.complaint.contains("model list"))
    }

    @Test func `a price is set with what is left out as the prompt`() {
        let ledger = Self.ledger()
        let run = CommandRun.of(
            "model price set demo --prompt 1 --completion 2.5 --search-fee 0.01", with: ledger)
        #expect(run.status == 0, "\(run.complaint)")
        let set = ledger.change { state in state.prices.filter { $0.model == "demo" } }
        let usual = set.first { $0.terms == .usual }?.price
        #expect(usual?.cached == usual?.prompt && usual?.completion.rawValue == 2_500_000_000)
        #expect(usual?.audioCompletion == nil)
        #expect(set.first { $0.terms == .search }?.price?.fee.rawValue == 10_000_000)
        _ = CommandRun.of(
            "model price set demo --tier flex --prompt 1 --completion 2", with: ledger)
        _ = CommandRun.of("model price clear demo --yes", with: ledger)
        #expect(ledger.change { $0.prices[0].price == nil && $0.prices[0].terms == .usual })
        #expect(ledger.change { $0.prices[1].terms == .tier(.flex) })
    }

    @Test(arguments: [
        "model price set demo", "model price set demo --prompt 1",
        "model price set demo --prompt -1 --completion 2",
        "model price set demo --prompt 1 --completion 2 --tier slow",
        "model price set demo --prompt 1 --completion 2 --tier flex --speech",
        "model price set demo --tier flex --search-fee 1",
        "model price clear demo --search --speech --yes",
        "model reprice demo --price-version 1",
        "model reprice demo --since 2027-01-01 --price-version 1",
    ])
    func `what makes no sense is wrong usage`(line: String) {
        #expect(CommandRun.of(line, with: Self.ledger()).status == 2)
    }

    @Test func `a repricing is shown first and done only when told`() throws {
        let ledger = Self.ledger()
        ledger.change { state in
            state.preview.lines = [
                RepriceReport.Line(
                    was: nil, becomes: 7, fate: .repriced, records: 1200, before: 0,
                    after: 5_250_000_000),
                RepriceReport.Line(
                    was: 6_917_529_027_641_081_856, becomes: 7, fate: .repriced, records: 3,
                    before: 2_000_000_000, after: 1_500_000_000),
                RepriceReport.Line(
                    was: 9, becomes: nil, fate: .swept, records: 2, before: 500, after: 500),
            ]
            state.preview.droppedDays = 2
            state.repriced.records = 1203
            state.repriced.difference = 4_750_000_000
            state.repriced.applied = 4_000_000_000
            state.repriced.waitingAccounts = 1
            state.repriced.waiting = 750_000_000
        }
        let shown = CommandRun.of(
            "model reprice demo --since 7d --price-version 7", with: ledger)
        #expect(shown.status == 0 && ledger.change { $0.orders.isEmpty })
        #expect(shown.output.contains("1,203 records would change by +$4.75"), "\(shown.output)")
        #expect(shown.output.contains("swept") && shown.output.contains("2 days"))
        #expect(shown.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
        let done = CommandRun.of(
            "model reprice demo --since 7d --until 1d --price-version 7 --replacing 9 --yes",
            with: ledger)
        #expect(done.output.contains("1,203 records changed by +$4.75"), "\(done.output)")
        #expect(done.output.contains("repeat"))
        let order = try #require(ledger.change { $0.orders.first })
        #expect(order.since == FakeAdminLedger.now + .seconds(-7 * 86_400))
        #expect(order.until == FakeAdminLedger.now + .seconds(-86_400))
        #expect(order.replacing == [9] && order.version == 7)
        let json = CommandRun.of(
            "model reprice demo --since 7d --price-version 7 --format json", with: ledger
        ).output
        #expect(json.contains(#""difference_nanousd": -500000000"#) || json.contains("-500000000"))
    }
}
