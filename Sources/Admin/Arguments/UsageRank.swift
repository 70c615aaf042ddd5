import Domain

/// By what the rows of a usage report are measured: their order under `--top`, and their bars.
enum UsageRank: String, CaseIterable {
    case tokens, cost, requests, failed

    /// The measure of a row.
    func of(_ sums: UsageSums) -> Int128 {
        switch self {
        case .tokens: sums.totalTokens
        case .cost: sums.costNanoUSD
        case .requests: sums.requests
        case .failed: sums.failedRequests
        }
    }

    /// The word before a picture.
    var caption: String {
        switch self {
        case .tokens: "Tokens"
        case .cost: "Cost"
        case .requests: "Requests"
        case .failed: "Failed"
        }
    }
}
