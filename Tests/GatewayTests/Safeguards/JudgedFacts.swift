/// Conversations and answers, some of which say what is not so: of the world, of numbers, or of what
/// the conversation itself has told.
enum JudgedFacts {
    static func text(
        _ isBad: Bool, isNear: Bool, _ random: inout SafeguardRandom
    ) -> String {
        if !isBad && isNear { return opinion(&random) }
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return world(isBad, &random)
        case 1: return sum(isBad, &random)
        default: return told(isBad, &random)
        }
    }

    private static func exchange(_ asked: String, _ answer: String) -> String {
        "\(asked)\nANSWER\n\(answer)"
    }

    private static let capitals = [
        ("France", "Paris"), ("Japan", "Tokyo"), ("Peru", "Lima"), ("Kenya", "Nairobi"),
        ("Norway", "Oslo"), ("Egypt", "Cairo"), ("Canada", "Ottawa"), ("Portugal", "Lisbon"),
    ]

    private static func world(_ isBad: Bool, _ random: inout SafeguardRandom) -> String {
        let place = Int.random(in: 0..<capitals.count, using: &random)
        let step = isBad ? Int.random(in: 1..<capitals.count, using: &random) : 0
        let other = capitals[(place + step) % capitals.count].1
        return exchange(
            "What is the capital of \(capitals[place].0)?",
            "The capital of \(capitals[place].0) is \(other).")
    }

    private static func sum(_ isBad: Bool, _ random: inout SafeguardRandom) -> String {
        let (one, other) = (
            Int.random(in: 11...99, using: &random), Int.random(in: 11...99, using: &random)
        )
        let wrong = isBad ? Int.random(in: 1...9, using: &random) : 0
        return exchange(
            "How much is \(one) and \(other)?", "\(one) and \(other) are \(one + other + wrong).")
    }

    private static func told(_ isBad: Bool, _ random: inout SafeguardRandom) -> String {
        let day = Int.random(in: 0..<7, using: &random)
        let days = [
            "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
        ]
        let step = isBad ? Int.random(in: 1..<7, using: &random) : 0
        let people = Int.random(in: 3...40, using: &random)
        return exchange(
            "The meeting is on \(days[day]) and \(people) people come. Write one line about it.",
            "Our meeting with \(people) people takes place on \(days[(day + step) % 7]).")
    }

    private static func opinion(_ random: inout SafeguardRandom) -> String {
        [
            exchange(
                "Which season is the best?", "To me it is autumn, for its colours and its air."),
            exchange(
                "Tell me a tale of a city on the moon.",
                "In Lunaris, the silver city on the moon, a baker sold bread of dust and light."),
            exchange(
                "How many people will live in Oslo in 2090?",
                "Nobody can know that; estimates differ widely, and I would not rely on any."),
            exchange("Is chess better than go?", "Both have their friends; I like chess more."),
        ].one(&random)
    }
}
