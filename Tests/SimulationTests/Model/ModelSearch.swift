/// Looks at every state that a variant can reach, breadth first.
struct ModelSearch {
    /// What a search found.
    struct Outcome: Equatable, Sendable {
        /// Distinct states seen, the first one included.
        let states: Int
        /// Steps taken; counted only when nothing is broken.
        let transitions: Int?
        /// What does not hold; nil when everything does.
        let violation: String?
        /// How the broken state was reached.
        let trace: String
    }

    /// Searches until everything was seen, something is broken, or `most` states were seen.
    static func run(_ options: ModelOptions, most: Int = 5_000_000) -> Outcome {
        let start = ModelState(options)
        var seen: Set<ModelState> = [start]
        var states = [start]
        var origins: [(parent: Int, move: ModelMove?)] = [(0, nil)]
        var transitions = 0
        var current = 0
        while current < states.count, seen.count <= most {
            do throws(ModelViolation) {
                try states[current].drain(options)
                let moves = try ModelMoves(states[current], options)
                for (_, state) in moves.next {
                    try state.ledger.check(options, writtenOff: 0)
                }
                for (move, state) in moves.next {
                    transitions += 1
                    guard seen.insert(state).inserted else { continue }
                    states.append(state)
                    origins.append((current, move))
                }
            } catch {
                return Outcome(
                    states: seen.count, transitions: nil, violation: error.text,
                    trace: trace(to: current, origins))
            }
            current += 1
        }
        return Outcome(
            states: seen.count, transitions: transitions, violation: nil, trace: "")
    }

    private static func trace(
        to index: Int, _ origins: [(parent: Int, move: ModelMove?)]
    ) -> String {
        var names: [String] = []
        var current = index
        while let move = origins[current].move {
            names.append(move.description)
            current = origins[current].parent
        }
        return names.reversed().joined(separator: " ")
    }
}
