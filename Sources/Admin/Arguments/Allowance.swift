import Domain

/// One allowance of `quota set`: a quota or a rate limit without its subject.
enum Allowance: Equatable {
    /// So much of a resource per calendar period; cost in nano-dollars.
    case quota(Resource, Period, Int64)
    /// So much of a flow.
    case rate(RateLimit.Dimension, Int64)
}

/// Reads the values of `quota set`'s options. The messages complete the sentence of the argument
/// parser, which has named the value and the option.
enum AllowanceText {
    /// What is wrong with a value and what would be right.
    struct Fault: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// `--tokens 1000000/day`.
    static func tokens(_ text: String) throws(Fault) -> Allowance {
        let example = "1000000/day"
        let (amount, per) = try split(text, example: example)
        if per == "minute" {
            throw Fault(
                description: "tokens per minute are a rate: use --tokens-rate \(amount)/minute")
        }
        return .quota(
            .tokens, try period(per, amount, example: example), try limit(amount, example: example))
    }

    /// `--requests 1000/day`, or the rate limit `--requests 600/minute`.
    static func requests(_ text: String) throws(Fault) -> Allowance {
        let example = "1000/day, or 600/minute for a rate"
        let (amount, per) = try split(text, example: example)
        if per == "minute" {
            return .rate(.requestsPerMinute, try rate(amount, example: "600/minute"))
        }
        return .quota(
            .requests, try period(per, amount, orMinute: true, example: example),
            try limit(amount, example: example))
    }

    /// `--tokens-rate 200000/minute`.
    static func tokensRate(_ text: String) throws(Fault) -> Allowance {
        let (amount, per) = try split(text, example: "200000/minute")
        guard per == "minute" else {
            throw Fault(
                description: "a token rate is per minute, such as 200000/minute; for a quota per"
                    + " day, month or in total use --tokens")
        }
        return .rate(.tokensPerMinute, try rate(amount, example: "200000/minute"))
    }

    /// `--cost 50usd/month`.
    static func cost(_ text: String) throws(Fault) -> Allowance {
        let example = "50usd/month"
        let (amount, per) = try split(text, example: example)
        guard amount.lowercased().hasSuffix("usd") else {
            throw Fault(description: "a cost names its currency, which is usd, such as \(example)")
        }
        let number = amount.dropLast(3)
        guard let dollars = NanoUSD(dollars: number) else {
            throw Fault(
                description:
                    "\"\(number)\" is no amount of dollars with at most nine decimals, such"
                    + " as 50usd/month or 0.25usd/day")
        }
        return .quota(.cost, try period(per, amount, example: example), dollars.rawValue)
    }

    /// `--concurrent 8`.
    static func concurrent(_ text: String) throws(Fault) -> Allowance {
        .rate(.concurrentRequests, try rate(Substring(text), example: "8"))
    }

    /// A period's name alone, for `quota clear`.
    static func period(_ text: String) throws(Fault) -> Period {
        guard let period = Period.allCases.first(where: { $0.name == text }) else {
            throw Fault(description: "give day, month or total")
        }
        return period
    }

    private static func split(
        _ text: String, example: String
    ) throws(Fault) -> (amount: Substring, per: Substring) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw Fault(
                description: parts.count < 2
                    ? "it needs a period, such as \(example)"
                    : "give an amount and one period, such as \(example)")
        }
        return (parts[0], parts[1])
    }

    private static func period(
        _ per: Substring, _ amount: Substring, orMinute: Bool = false, example: String
    ) throws(Fault) -> Period {
        guard let period = Period.allCases.first(where: { $0.name == per }) else {
            throw Fault(
                description:
                    "\"\(per)\" is no period; give \(orMinute ? "minute, " : "")day, month or"
                    + " total, such as \(example)")
        }
        return period
    }

    private static func limit(_ amount: Substring, example: String) throws(Fault) -> Int64 {
        guard let limit = AmountText.parse(amount) else {
            throw Fault(
                description: "\"\(amount)\" is not \(AmountText.accepted), at most"
                    + " \(NumberText.grouped(Int128(Int64.max)))")
        }
        return limit
    }

    private static func rate(_ amount: Substring, example: String) throws(Fault) -> Int64 {
        let limit = try limit(amount, example: example)
        guard limit > 0 else {
            throw Fault(
                description:
                    "a rate limit is at least 1, such as \(example); to stop a key, revoke it"
                    + " or give it a quota of 0")
        }
        return limit
    }
}

/// What happens to requests under a quota while the ledger cannot be reached.
enum OutageText: String {
    /// They go on within what their gateway holds of the quota.
    case ride
    /// They are refused with 503.
    case refuse

    /// `--outage ride` or `--outage refuse`.
    static func parse(_ text: String) throws(AllowanceText.Fault) -> OutageText {
        guard let outage = OutageText(rawValue: text) else {
            throw AllowanceText.Fault(description: "give ride or refuse")
        }
        return outage
    }
}
