import Testing

@testable import TurnpikeConfiguration

@Suite struct EditDistances {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("listen", "listne", 2), ("kitten", "sitting", 3),
        ("slots", "slot", 1),
    ])
    func `the distance is the least number of changes`(
        _ left: String, _ right: String, _ distance: Int
    ) {
        #expect(EditDistance.between(left, right) == distance)
        #expect(EditDistance.between(right, left) == distance)
    }

    @Test func `a word that is too far is not guessed`() {
        #expect(EditDistance.nearest(to: "slost", in: ["slots", "kind"]) == nil)
        #expect(EditDistance.nearest(to: "slotz", in: ["slots", "kind"]) == "slots")
        #expect(EditDistance.nearest(to: "colour", in: ["slots", "kind"]) == nil)
    }
}
