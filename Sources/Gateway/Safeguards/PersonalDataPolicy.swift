/// What a request asks to be done about personal data in its messages (the contract's `input.pii`).
public struct PersonalDataPolicy: Equatable, Sendable {
    /// What happens when something is found.
    public enum Mode: Equatable, Sendable {
        /// The request is refused.
        case block
        /// The backend sees something else in its place.
        case replace(ReplacementMethod)
    }

    /// What happens when something is found.
    public let mode: Mode
    /// The kinds that are left as they are (the contract's `entity_list`).
    public let ignored: Set<EntityType>

    /// A policy; a name in `ignored` that is no kind of anything does no harm.
    public init(mode: Mode, ignored: Set<EntityType>) {
        self.mode = mode
        self.ignored = ignored
    }

    /// Decides about a request's texts and what recognisers found in each, in the same order.
    ///
    /// Kinds that are ignored are left out before overlaps are resolved: an e-mail address in a URL
    /// is found when URLs are ignored. Texts without findings come back as they are. One value gets
    /// one replacement in all of the texts. `random` is asked for the methods `random` and `fake` only.
    public func decide(
        texts: [String], findings: [[EntityFinding]], using random: inout some RandomNumberGenerator
    ) -> PersonalDataDecision {
        precondition(texts.count == findings.count, "each text needs its findings")
        let contents = texts.map { Array($0.utf8) }
        var found: [[EntityFinding]] = []
        for (bytes, all) in zip(contents, findings) {
            let wanted = all.filter { !ignored.contains($0.entity) }
                .map { Self.widened($0, to: bytes) }
            found.append(EntityFinding.withoutOverlaps(wanted, count: bytes.count))
        }
        let counts = PersonalDataCounts(found.joined())
        if counts.isEmpty { return .unchanged }
        guard case .replace(let method) = mode else { return .blocked(counts) }

        let values = zip(contents, found).flatMap { bytes, findings in
            findings.map { (entity: $0.entity, value: Array(bytes[$0.range])) }
        }
        var replacer = Replacer(method: method, values: values)
        var rewritten: [String] = []
        for ((text, bytes), findings) in zip(zip(texts, contents), found) {
            rewritten.append(
                findings.isEmpty
                    ? text : Self.rewrite(bytes, findings, with: &replacer, using: &random))
        }
        return .replaced(texts: rewritten, counts)
    }

    private static func rewrite(
        _ bytes: [UInt8], _ findings: [EntityFinding], with replacer: inout Replacer,
        using random: inout some RandomNumberGenerator
    ) -> String {
        var rewritten: [UInt8] = []
        rewritten.reserveCapacity(bytes.count)
        var copied = 0
        for finding in findings {
            rewritten += bytes[copied..<finding.range.lowerBound]
            rewritten += replacer.replacement(
                for: Array(bytes[finding.range]), of: finding.entity, using: &random)
            copied = finding.range.upperBound
        }
        rewritten += bytes[copied...]
        return String(decoding: rewritten, as: UTF8.self)
    }

    /// The finding with every character of UTF-8 whole that it touches. A service that counts in
    /// other units could cut one in two; hiding a little more is better than hiding nothing.
    private static func widened(_ finding: EntityFinding, to bytes: [UInt8]) -> EntityFinding {
        var start = min(max(0, finding.range.lowerBound), bytes.count)
        var end = min(max(start, finding.range.upperBound), bytes.count)
        while start > 0, start < bytes.count, ASCII.isContinuation(bytes[start]) { start -= 1 }
        while end < bytes.count, ASCII.isContinuation(bytes[end]) { end += 1 }
        return EntityFinding(entity: finding.entity, range: start..<end, score: finding.score)
    }
}
