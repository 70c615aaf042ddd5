import Domain

/// An amount of dollars on the command line.
enum PriceText {
    /// What is wrong with a value and what would be right.
    struct Fault: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// Reads `2.50`, exactly.
    static func dollars(_ text: String) throws(Fault) -> NanoUSD {
        guard let amount = NanoUSD(dollars: text) else {
            throw Fault(
                description: "give dollars with at most nine decimals, such as 2.50 or 0 for free")
        }
        return amount
    }

    /// Reads a service tier's word.
    static func tier(_ text: String) throws(Fault) -> ServiceTier {
        guard let tier = ServiceTier(rawValue: text) else {
            let words = ServiceTier.allCases.map(\.rawValue)
            throw Fault(description: "give one of \(words.joined(separator: ", "))")
        }
        return tier
    }
}
