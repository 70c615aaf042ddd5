/// Several texts as one, so that a service is called once for all of them, and the way back.
///
/// The service counts in Unicode code points, as Python does; findings here count bytes of UTF-8.
struct JoinedTexts: Sendable {
    /// Between two texts: a paragraph's end, over which no name or number goes on.
    static let joint = "\n\n"

    /// All of it.
    let text: String
    private let counts: [Int]

    init(_ texts: [String]) {
        text = texts.joined(separator: Self.joint)
        counts = texts.map(\.utf8.count)
    }

    /// The findings of each text. A finding over a joint is cut there: each side hides its own part.
    /// Nil where one lies outside of the text: then nothing that the service says can be believed.
    func findings(_ found: [CodePointFinding]) -> [[EntityFinding]]? {
        guard let offsets = offsets(of: found) else { return nil }
        var findings = [[EntityFinding]](repeating: [], count: counts.count)
        for finding in found {
            guard let from = offsets[finding.start], let to = offsets[finding.end] else {
                return nil
            }
            var begin = 0
            for (index, count) in counts.enumerated() {
                let range = max(from, begin)..<max(max(from, begin), min(to, begin + count))
                if !range.isEmpty {
                    findings[index].append(
                        EntityFinding(
                            entity: finding.entity,
                            range: (range.lowerBound - begin)..<(range.upperBound - begin),
                            score: finding.score))
                }
                begin += count + Self.joint.utf8.count
                if begin >= to { break }
            }
        }
        return findings
    }

    /// The byte offset of every code point that a finding begins or ends at, in one walk.
    private func offsets(of found: [CodePointFinding]) -> [Int: Int]? {
        let wanted = Set(found.flatMap { [$0.start, $0.end] })
        guard found.allSatisfy({ 0 <= $0.start && $0.start <= $0.end }) else { return nil }
        var offsets: [Int: Int] = [:]
        var (point, byte) = (0, 0)
        for scalar in text.unicodeScalars {
            if wanted.contains(point) { offsets[point] = byte }
            point += 1
            byte += UTF8.width(scalar)
        }
        if wanted.contains(point) { offsets[point] = byte }
        return offsets
    }
}

/// What a service found, in its own units.
struct CodePointFinding: Sendable, Equatable {
    let entity: EntityType
    /// Code points from the text's start.
    let start: Int
    let end: Int
    /// In percent.
    let score: Int
}
