import ArgumentParser
import Domain
import Ledger

/// `admin quota`.
struct QuotaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota",
        abstract: "Quotas and rate limits of organizations, teams and keys.",
        subcommands: [
            Set.self, Show.self, QuotaClearCommand.self, QuotaCheckCommand.self,
            QuotaReplayCommand.self,
        ])

    /// `admin quota set`.
    struct Set: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Set quotas and rate limits: all that are named, or none.",
            discussion: """
                Quotas are per day, month (UTC) or in total, and never exceeded; rates are per minute. What is not named \
                stays as it is. Amounts may be written 1_000_000, 1000k or 2M.

                With --soft the quotas named here only warn: answers carry the header, and events are noted at 80 and 100 \
                per cent, as of a hard one, but nothing is refused. A quota stays soft until --hard, and counts on when it \
                changes.

                With --model they count the requests that ask for that model alias alone, wherever those are then sent, \
                and hold beside the quotas over all models: a request must pass both.

                A quota rides outages unless it is told otherwise: while the ledger cannot be reached, gateways go on for \
                a minute within what they hold of it. With --outage refuse they answer 503 at once instead.

                Example:
                  turnpike admin quota set --team research --tokens 1000000/day \\
                    --tokens 20M/month --requests 600/minute --cost 50usd/month
                  turnpike admin quota set --team research --cost 50usd/month --outage refuse
                  turnpike admin quota set --team research --model gpt-4o --tokens 100000/day
                  turnpike admin quota set --organization acme --cost 1000usd/month --soft
                """)

        @OptionGroup var subject: SubjectOptions
        @Option(
            help: ArgumentHelp(
                "Count the requests for this model alias alone.", valueName: "name"),
            completion: .models)
        var model: String?
        @Option(
            help: ArgumentHelp(
                "Tokens per day, month or total; repeatable.", valueName: "n/period"),
            transform: { try AllowanceText.tokens($0) })
        var tokens: [Allowance] = []
        @Option(
            help: ArgumentHelp(
                "Requests per day, month or total, or a rate per minute; repeatable.",
                valueName: "n/period"),
            transform: { try AllowanceText.requests($0) })
        var requests: [Allowance] = []
        @Option(
            help: ArgumentHelp("A rate of tokens per minute.", valueName: "n/minute"),
            transform: { try AllowanceText.tokensRate($0) })
        var tokensRate: Allowance?
        @Option(
            help: ArgumentHelp(
                "Cost per day, month or total, such as 50usd/month; repeatable.",
                valueName: "n-usd/period"),
            transform: { try AllowanceText.cost($0) })
        var cost: [Allowance] = []
        @Option(
            help: ArgumentHelp("Requests in progress at once.", valueName: "n"),
            transform: { try AllowanceText.concurrent($0) })
        var concurrent: Allowance?
        @Option(
            help: ArgumentHelp(
                "Whether the quotas named here ride outages of the ledger: ride or refuse.",
                valueName: "ride|refuse"),
            transform: { try OutageText.parse($0) })
        var outage: OutageText?
        @Flag var firmness: Firmness?
        @Flag(help: "Set it also for a model that no gateway serves yet.")
        var yes = false
        @OptionGroup var options: AdminOptions

        private var allowances: [Allowance] {
            tokens + requests + cost + [tokensRate, concurrent].compactMap(\.self)
        }

        func validate() throws {
            let all = allowances
            guard !all.isEmpty else {
                throw ValidationError(
                    "Nothing to set: name at least one of --tokens, --requests, --tokens-rate, --cost"
                        + " and --concurrent.")
            }
            for (index, one) in all.enumerated()
            where all.dropFirst(index + 1).contains(where: { $0.isAboutTheSame(as: one) }) {
                throw ValidationError("\(one.target.name) is named twice; which one is meant?")
            }
            guard outage == nil || all.contains(where: \.isQuota) else {
                throw ValidationError(
                    "--outage is about quotas; name at least one, such as --tokens 1000000/day.")
            }
            guard firmness == nil || all.allSatisfy(\.isQuota) else {
                throw ValidationError(
                    "--soft and --hard are about quotas; set rates and concurrent requests by"
                        + " themselves, since they always refuse.")
            }
            guard firmness != .soft || all.allSatisfy({ $0.limit > 0 }) else {
                throw ValidationError(
                    "A soft quota of 0 has no part to warn of; give at least 1, or --hard to stop"
                        + " all requests.")
            }
            guard model != "" else { throw ValidationError("Which --model? Give its name.") }
        }

        func execute(_ desk: AdminDesk) throws {
            let found = try subject.find(at: desk)
            if let model, !yes {
                try desk.checkModel(
                    model,
                    advice: "Nothing was set. See `turnpike admin model list`; with --yes it is set"
                        + " for a model that a gateway will serve later.")
            }
            try checkZeros(found, at: desk)
            try desk.ledger.apply(
                allowances.map {
                    $0.change(
                        ridesOutages: outage.map { $0 == .ride },
                        isSoft: firmness.map { $0 == .soft })
                },
                to: found.subject, model: model, in: found.organization)
            try AllowanceView.answer(found, at: desk)
        }

        /// A quota of 0 stops its subject; one that is soft would not.
        private func checkZeros(
            _ found: SubjectOptions.Found, at desk: AdminDesk
        ) throws(AdminFailure) {
            let zeros = allowances.filter { $0.isQuota && $0.limit == 0 }.map(\.target)
            guard firmness == nil, !zeros.isEmpty else { return }
            let soft = try desk.ledger.allowances(on: found.subject, in: found.organization)
                .first { $0.isSoft && $0.model == model && zeros.contains($0.target) }
            guard let soft else { return }
            throw .refused(
                "\(soft.title) of \(found.title) is soft, and at 0 it would neither stop nor warn.",
                advice: "Nothing was set. Add --hard to stop all requests.")
        }
    }

    /// `admin quota show`.
    struct Show: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what limits one organization, team or key.",
            discussion: """
                Of a key also the limits of its team and its organization, of a team those of its organization: a \
                request must pass all of them, those of a single model if it asks for that one. Used is settled, reserved is claimed by requests that run, and left is \
                what neither has; gateways hold a part of that, which they give back when another one asks. Programs are \
                told that part too, as leased.

                Example:
                  turnpike admin quota show --team research
                  turnpike admin quota show --key 1u8QGN1vBYo --format json
                """)

        @OptionGroup var subject: SubjectOptions
        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            try AllowanceView.explain(try subject.find(at: desk), at: desk)
        }
    }
}

/// Whether a quota refuses.
enum Firmness: String, EnumerableFlag {
    /// It only warns.
    case soft
    /// It is never exceeded.
    case hard

    static func help(for value: Firmness) -> ArgumentHelp? {
        switch value {
        case .soft: "The quotas named here only warn, and refuse nothing."
        case .hard: "They refuse what does not fit, as a new one does."
        }
    }
}

extension Allowance {
    /// What it is an allowance of.
    var target: AllowanceTarget {
        switch self {
        case .quota(let resource, let period, _): .quota(resource, period)
        case .rate(let dimension, _): .rate(dimension)
        }
    }

    /// Whether it is a quota, and not a rate limit.
    var isQuota: Bool { if case .quota = self { true } else { false } }

    /// What it allows.
    var limit: Int64 {
        switch self {
        case .quota(_, _, let limit), .rate(_, let limit): limit
        }
    }

    /// The change that sets it, and for a quota whether it rides outages, and whether it only warns:
    /// nil leaves that as it is.
    func change(ridesOutages: Bool?, isSoft: Bool?) -> AllowanceChange {
        switch self {
        case .quota(let resource, let period, let limit):
            .setQuota(
                resource, period, limit: limit, ridesOutages: ridesOutages, isSoft: isSoft)
        case .rate(let dimension, let limit): .setRateLimit(dimension, limit: limit)
        }
    }

    /// Whether two allowances would be stored in the same place.
    func isAboutTheSame(as other: Allowance) -> Bool { target == other.target }
}
