import Domain
import Foundation
import Ledger

/// Prices as people and programs see them.
enum PriceView {
    /// The fields of a price for programs.
    static let names = [
        "model", "terms", "price_version", "prompt_nanousd", "cached_nanousd",
        "cache_write_nanousd", "completion_nanousd", "audio_prompt_nanousd",
        "audio_completion_nanousd", "search_fee_nanousd", "since", "source", "set_by",
    ]

    // A version is a string: it has 63 bits, and many readers of JSON keep only 53 of a number.
    /// A price for programs.
    static func record(_ change: PriceChange) -> Record {
        let price = change.price
        func amount(_ amount: NanoUSD?) -> Record.Value { .optional(amount?.rawValue) }
        return Record(
            names,
            [
                .text(change.model), .text(change.terms.name),
                .optional(price.map { String($0.version) }), amount(price?.prompt),
                amount(price?.cached), amount(price?.cacheWrite), amount(price?.completion),
                amount(price?.audioPrompt), amount(price?.audioCompletion), amount(price?.fee),
                .text(TimeText.iso(change.at)), .text(change.source.name), .text(change.setBy),
            ])
    }

    /// A model without a price for programs.
    static func unpriced(_ model: String) -> Record {
        Record(names, [.text(model)] + Array(repeating: .missing, count: names.count - 1))
    }

    /// By model, then as ``PriceTerms/all`` has them.
    static func place(_ change: PriceChange) -> String {
        let place = PriceTerms.all.firstIndex(of: change.terms) ?? 0
        return "\(change.model)\n\(String(UnicodeScalar(UInt8(65 + place))))"
    }

    private static let amounts: [TableColumn] = [
        .number("Prompt"), .number("Cached", droppedAt: 4), .number("Write", droppedAt: 5),
        .number("Compl."), .number("Audio in", droppedAt: 2), .number("out", droppedAt: 3),
        .number("Search", droppedAt: 1),
    ]

    /// The prices in force, a line for each.
    static func table(
        _ prices: [PriceChange], unpriced: [String], _ desk: AdminDesk
    ) -> [String] {
        desk.tables.lines(
            columns: [.text("Model", minimum: 8), .whole("For")] + amounts + [.whole("Since")],
            rows: prices.map { change in
                [.text(change.model), .text(change.terms.name)] + cells(change.price)
                    + [.text(change.at.day.description)]
            }
                + unpriced.map { model in
                    [.text(model), .text("no price")] + cells(nil) + [.text("")]
                }, totals: nil)
    }

    /// One model's prices of all times, two lines for each.
    static func history(_ changes: [PriceChange], _ desk: AdminDesk) -> [String] {
        let table = desk.tables.lines(
            columns: [.whole("Since"), .whole("For")] + amounts,
            rows: changes.map { change in
                [.text(TimeText.short(change.at)), .text(change.terms.name)]
                    + cells(change.price)
            }, totals: nil)
        // The headings stand first and what was left out last.
        guard table.count > changes.count, let headings = table.first else { return table }
        let notes = changes.map { change in
            "  "
                + (change.price.map { "version \($0.version), by \(change.source.name)" }
                    ?? "taken away, by \(change.source.name)") + ", \(change.setBy)"
        }
        let lines = zip(table.dropFirst(), notes).flatMap { line, note in
            [line, DisplayWidth.truncate(DisplayWidth.printable(note), to: desk.output.width)]
        }
        return [headings] + lines + table.dropFirst(1 + changes.count)
    }

    /// A model's prices in force, after a change.
    static func answer(_ model: String, _ desk: AdminDesk) throws {
        let prices = try desk.ledger.pricesInForce()
            .filter { $0.model == model && $0.price != nil }
            .sorted { place($0) < place($1) }
        try desk.answer(prices.map(record), names: names) {
            table(prices, unpriced: prices.isEmpty ? [model] : [], desk)
        }
    }

    private static func cells(_ price: Price?) -> [TableFormatter.Cell] {
        guard let price else { return amounts.map { _ in .text("") } }
        let isFee = price.fee > .zero
        func dollars(_ amount: NanoUSD?) -> TableFormatter.Cell {
            .text(amount.map { $0.description } ?? "")
        }
        // A search's fee has no prices of tokens beside it.
        let tokens = [price.prompt, price.cached, price.cacheWrite, price.completion]
        let hasTokens = !isFee || tokens.contains { $0 > .zero }
        return tokens.map { dollars(hasTokens ? $0 : nil) }
            + [
                dollars(price.audioPrompt), dollars(price.audioCompletion),
                dollars(isFee ? price.fee : nil),
            ]
    }
}
