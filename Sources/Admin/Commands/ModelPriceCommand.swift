import ArgumentParser
import Domain
import Foundation
import Ledger

/// `admin model price`.
struct ModelPriceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "price", abstract: "Set a model's price, or take it away.",
        subcommands: [Set.self, Clear.self])

    /// `admin model price set`.
    struct Set: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a new version of a model's price in force.",
            discussion: """
                Dollars per million tokens. What is not named costs what prompt tokens cost, or sound what text costs. \
                Gateways that run have it within two seconds; requests that were admitted before keep their price, and \
                `turnpike admin model reprice` prices what is past.

                Example:
                  turnpike admin model price set gpt-4o --prompt 2.50 --cached 1.25 \\
                    --completion 10
                  turnpike admin model price set gpt-4o --tier flex --prompt 1.25 --completion 5
                  turnpike admin model price set gpt-4o --search-fee 0.025
                """)

        @Argument(help: ArgumentHelp("The model alias.", valueName: "model"))
        var model: String
        @Option(
            help: ArgumentHelp("Prompt tokens.", valueName: "usd"),
            transform: { try PriceText.dollars($0) })
        var prompt: NanoUSD?
        @Option(
            help: ArgumentHelp("Prompt tokens read from a cache.", valueName: "usd"),
            transform: { try PriceText.dollars($0) })
        var cached: NanoUSD?
        @Option(
            help: ArgumentHelp("Prompt tokens written to a cache.", valueName: "usd"),
            transform: { try PriceText.dollars($0) })
        var cacheWrite: NanoUSD?
        @Option(
            help: ArgumentHelp("Completion tokens.", valueName: "usd"),
            transform: { try PriceText.dollars($0) })
        var completion: NanoUSD?
        @Option(
            help: ArgumentHelp("Prompt tokens of audio.", valueName: "usd"),
            transform: { try PriceText.dollars($0) })
        var audioPrompt: NanoUSD?
        @Option(
            help: ArgumentHelp("Completion tokens of sound.", valueName: "usd"),
            transform: { try PriceText.dollars($0) })
        var audioCompletion: NanoUSD?
        @Option(
            help: ArgumentHelp("Each search of the web, beside its tokens.", valueName: "usd"),
            transform: { try PriceText.dollars($0) })
        var searchFee: NanoUSD?
        @OptionGroup var terms: PriceTermsOptions
        @OptionGroup var options: AdminOptions

        func validate() throws {
            try terms.check()
            let others = [cached, cacheWrite, audioPrompt, audioCompletion].contains { $0 != nil }
            guard prompt != nil || completion != nil || others || terms.isNamed else {
                guard searchFee != nil else {
                    throw ValidationError("Nothing to set: name --prompt and --completion.")
                }
                return
            }
            guard prompt != nil, completion != nil else {
                throw ValidationError("A price of tokens needs both --prompt and --completion.")
            }
        }

        func execute(_ desk: AdminDesk) throws {
            try desk.checkModel(model)
            var prices: [PriceTerms: Price?] = [:]
            if let prompt, let completion {
                prices[terms.terms] = Price(
                    alias: model, prompt: prompt, cached: cached ?? prompt,
                    cacheWrite: cacheWrite ?? prompt, completion: completion
                ).adding(audioPrompt: audioPrompt, audioCompletion: audioCompletion)
            }
            if let searchFee {
                prices[.search] = Price.searchFee(searchFee, alias: model)
            }
            try desk.ledger.setPrices(prices, of: model)
            try PriceView.answer(model, desk)
        }
    }

    /// `admin model price clear`.
    struct Clear: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a model's price away: it is no longer charged for.",
            discussion: """
                A model without a price cannot be used under a quota in cost; a service tier without one cannot be asked \
                for.

                Example:
                  turnpike admin model price clear gpt-4o --tier flex --yes
                """)

        @Argument(help: ArgumentHelp("The model alias.", valueName: "model"))
        var model: String
        @Flag(help: "The fee of a search.")
        var search = false
        @Flag(help: "Do not ask.")
        var yes = false
        @OptionGroup var terms: PriceTermsOptions
        @OptionGroup var options: AdminOptions

        func validate() throws {
            try terms.check()
            guard !search || !terms.isNamed else {
                throw ValidationError("--search, --tier and --speech exclude each other.")
            }
        }

        func execute(_ desk: AdminDesk) throws {
            try desk.checkModel(model)
            let cleared = search ? PriceTerms.search : terms.terms
            let name = QuotedText.quoted(model)
            try desk.confirm(
                "Take the price (\(cleared.name)) of \(name) away?", isConfirmed: yes)
            try desk.ledger.setPrices([cleared: Price?.none], of: model)
            try PriceView.answer(model, desk)
        }
    }
}

/// Which of a model's prices is meant.
struct PriceTermsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The price of a service tier instead of the usual one.", valueName: "tier"),
        transform: { try PriceText.tier($0) })
    var tier: ServiceTier?
    @Flag(help: "The price of spoken answers, sound and text alike.")
    var speech = false

    /// Whether one is named that is not the usual one.
    var isNamed: Bool { tier != nil || speech }

    /// What the price is for.
    var terms: PriceTerms { speech ? .speech : tier.map(PriceTerms.tier) ?? .usual }

    /// Refuses two at once.
    func check() throws(ValidationError) {
        guard tier == nil || !speech else {
            throw ValidationError("--tier and --speech exclude each other.")
        }
    }
}
