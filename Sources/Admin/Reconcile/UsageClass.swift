/// What is compared between a provider's export and the ledger.
enum UsageClass: String, CaseIterable, Comparable {
    case requests
    /// Every prompt token, cached and cache-written ones included.
    case prompt = "prompt_tokens"
    /// Prompt tokens read from the provider's cache.
    case cached = "cached_tokens"
    /// Prompt tokens written to the provider's cache.
    case cacheWrite = "cache_write_tokens"
    /// Completion tokens, reasoning included.
    case completion = "completion_tokens"
    /// Nano-dollars.
    case cost = "cost_nanousd"

    /// In the order of the cases.
    static func < (left: UsageClass, right: UsageClass) -> Bool { left.order < right.order }

    private var order: Int {
        switch self {
        case .requests: 0
        case .prompt: 1
        case .cached: 2
        case .cacheWrite: 3
        case .completion: 4
        case .cost: 5
        }
    }
}

/// How much of each class. In an export's own rows cost is in billionths of micro-dollars (10⁻¹⁵
/// dollars), because providers give more decimals than a nano-dollar has and a million rounded rows
/// would add up to a difference; `rounded` is what is compared.
typealias UsageAmounts = [UsageClass: Int128]

extension UsageAmounts {
    /// Parts of a dollar in an export's rows, as a power of ten.
    static let costDecimals = 15

    /// Adds up class by class.
    mutating func add(_ others: UsageAmounts) {
        for (kind, amount) in others { self[kind, default: 0] += amount }
    }

    /// With the cost in nano-dollars, rounded to the nearest.
    var rounded: UsageAmounts {
        guard let cost = self[.cost] else { return self }
        var amounts = self
        let (whole, rest) = cost.quotientAndRemainder(dividingBy: 1_000_000)
        amounts[.cost] = whole + (rest >= 500_000 ? 1 : rest <= -500_000 ? -1 : 0)
        return amounts
    }
}
