import ArgumentParser
import Domain
import Ledger

/// `admin model`.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Models and their prices.",
        discussion: """
            A price is a version that never changes: another price is another version. The newest one is in force, whether \
            a configuration file or this command said it. A file counts when it says something new: a gateway that starts \
            or reloads enters what differs from what the last file said, so that a price set here stays until then.
            """,
        subcommands: [List.self, Show.self, ModelPriceCommand.self, ModelRepriceCommand.self])

    /// `admin model list`.
    struct List: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "List the models and the prices that are in force.",
            discussion: """
                Dollars per million tokens. A model without a price cannot be used under a quota in cost.

                Example:
                  turnpike admin model list
                """)

        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            let prices = try desk.ledger.pricesInForce().filter { $0.price != nil }
            let unpriced = Set(try desk.ledger.models()).subtracting(prices.map(\.model)).sorted()
            let rows = prices.sorted { PriceView.place($0) < PriceView.place($1) }
            let records = rows.map(PriceView.record) + unpriced.map(PriceView.unpriced)
            try desk.answer(records, names: PriceView.names) {
                if records.isEmpty { return ["No gateway has told of a model yet."] }
                return PriceView.table(rows, unpriced: unpriced, desk)
            }
        }
    }

    /// `admin model show`.
    struct Show: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Show every price that a model ever had, the newest first.",
            discussion: """
                Example:
                  turnpike admin model show gpt-4o
                """)

        @Argument(help: ArgumentHelp("The model alias.", valueName: "model"))
        var model: String
        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            try desk.checkModel(model)
            let history = try desk.ledger.priceHistory(of: model)
            try desk.answer(history.map(PriceView.record), names: PriceView.names) {
                history.isEmpty
                    ? ["The model never had a price."] : PriceView.history(history, desk)
            }
        }
    }
}

extension AdminDesk {
    /// Refuses a model that no gateway has told of.
    func checkModel(_ model: String, advice: String? = nil) throws(AdminFailure) {
        let known = try ledger.models()
        guard !known.contains(model) else { return }
        throw .notFound(
            "model", model,
            advice: advice
                ?? "See `turnpike admin model list`: a gateway that starts tells its models.")
    }
}
