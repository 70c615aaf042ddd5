@testable import Gateway

/// A text that a judge is asked about, and what it should say.
struct JudgedText: Sendable, Equatable {
    let check: JudgedCheck
    let text: String
    /// Whether the text is what the check is there to stop.
    let isBad: Bool
}

/// Texts for the judges, made from a seed: of each check as many that must fail as that must pass,
/// and of those that pass half are near the line (they speak about what others do).
enum JudgedSet {
    /// The same texts for the same seed, `count` of each check.
    static func texts(_ count: Int, seed: UInt64) -> [JudgedText] {
        var random = SafeguardRandom(seed: seed)
        return JudgedCheck.everyOne.flatMap { check in
            (0..<count).map { number in
                let isBad = number % 2 == 0
                return JudgedText(
                    check: check, text: text(check, isBad, isNear: number % 4 == 1, &random),
                    isBad: isBad)
            }
        }
    }

    private static func text(
        _ check: JudgedCheck, _ isBad: Bool, isNear: Bool, _ random: inout SafeguardRandom
    ) -> String {
        switch check {
        case .promptInjection: JudgedInjection.text(isBad, isNear: isNear, &random)
        case .toxicity: JudgedManners.text(isBad, isNear: isNear, &random)
        case .factuality: JudgedFacts.text(isBad, isNear: isNear, &random)
        }
    }
}

extension JudgedCheck {
    /// All of them.
    static let everyOne: [JudgedCheck] = [.promptInjection, .toxicity, .factuality]
}

extension [String] {
    /// One of them.
    func one(_ random: inout SafeguardRandom) -> String { randomElement(using: &random) ?? "" }
}
