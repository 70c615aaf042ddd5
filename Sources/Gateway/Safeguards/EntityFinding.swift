/// Where personal data stands in a text, and of which kind it is.
///
/// Holds no character of the text, so that a finding may be logged, counted and passed on.
public struct EntityFinding: Equatable, Sendable {
    /// What was found.
    public let entity: EntityType
    /// Where, as offsets into the text's UTF-8.
    public let range: Range<Int>
    /// How sure the recogniser is, in percent: 95 and more where a checksum or a word beside it agrees.
    public let score: Int

    /// A finding of `entity` at `range`, `score` percent sure.
    public init(entity: EntityType, range: Range<Int>, score: Int) {
        self.entity = entity
        self.range = range
        self.score = score
    }
}

extension EntityFinding {
    /// The findings that are left when no two may overlap, in the order of the text.
    ///
    /// The longest wins, as it hides most; then the surest, then the first in the text, then the
    /// first by name. The result does not depend on the order of `findings`. Findings that do not
    /// lie within `count` bytes, or are empty, are left out: an analyzer may be wrong.
    static func withoutOverlaps(_ findings: [EntityFinding], count: Int) -> [EntityFinding] {
        let ordered = findings.sorted { left, right in
            if left.range.count != right.range.count { return left.range.count > right.range.count }
            if left.score != right.score { return left.score > right.score }
            if left.range.lowerBound != right.range.lowerBound {
                return left.range.lowerBound < right.range.lowerBound
            }
            return left.entity < right.entity
        }
        guard ordered.count > 1 else {
            return ordered.filter { $0.isWithin(count) }
        }
        // A mark for each byte keeps this linear in the lengths: a recogniser's own detectors find
        // each byte a small number of times. Only ends need a look: what is longer came first, so
        // nothing accepted lies strictly inside a later finding.
        var taken = [Bool](repeating: false, count: count)
        var accepted: [EntityFinding] = []
        for finding in ordered where finding.isWithin(count) {
            let range = finding.range
            guard !taken[range.lowerBound], !taken[range.upperBound - 1] else { continue }
            for index in range { taken[index] = true }
            accepted.append(finding)
        }
        return accepted.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    private func isWithin(_ count: Int) -> Bool {
        !range.isEmpty && range.lowerBound >= 0 && range.upperBound <= count
    }
}
