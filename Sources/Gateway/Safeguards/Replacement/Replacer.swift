/// Makes the replacements of one request: the same value gets the same one wherever it stands and
/// however it is written, and two values never share a random or an invented one while the
/// shape leaves another.
///
/// Holds the values it replaced, so it lives as long as the request's check and is never printed:
/// its description and its mirror say nothing.
struct Replacer: CustomStringConvertible, CustomReflectable {
    /// How often another replacement is tried when one is taken.
    private static let mostTries = 16

    private struct Value: Hashable {
        let entity: EntityType
        let canonical: [UInt8]
    }

    private let method: ReplacementMethod
    private var replacements: [Value: [UInt8]] = [:]
    /// What no replacement may be: the request's own values, and the replacements given out.
    private var taken: Set<[UInt8]> = []

    /// A replacer for a request in which `values` were found.
    init(method: ReplacementMethod, values: [(entity: EntityType, value: [UInt8])]) {
        self.method = method
        for (entity, value) in values {
            taken.insert(ValueShape.canonical(value, of: entity))
        }
    }

    var description: String { "a replacer (\(method.rawValue))" }

    var customMirror: Mirror { Mirror(self, children: []) }

    /// What stands in the place of `value`, which must be valid UTF-8.
    mutating func replacement(
        for value: [UInt8], of entity: EntityType, using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        switch method {
        case .category: return Array("<\(entity.name)>".utf8)
        case .mask:
            // As most clients count: a mark that joins the letter before it counts by itself.
            let scalars = String(decoding: value, as: UTF8.self).unicodeScalars.count
            return [UInt8](repeating: 0x2A, count: scalars)
        case .random, .fake: break
        }
        let canonical = ValueShape.canonical(value, of: entity)
        let key = Value(entity: entity, canonical: canonical)
        let replacement =
            replacements[key] ?? invent(canonical, value, of: entity, using: &random)
        replacements[key] = replacement
        // An address keeps its capitals too, unless a letter beyond ASCII became one byte less.
        let isWrittenAlike =
            ValueShape.isNumber(entity)
            || method == .random && entity == .emailAddress && value.allSatisfy { $0 < 0x80 }
        return isWrittenAlike ? ValueShape.poured(replacement, into: value) : replacement
    }

    private mutating func invent(
        _ canonical: [UInt8], _ value: [UInt8], of entity: EntityType,
        using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        var invented = canonical
        for _ in 0..<Self.mostTries {
            let fake =
                method == .fake
                ? FakeValue.make(of: entity, canonical: canonical, value: value, using: &random)
                : nil
            invented = fake ?? ValueShape.random(like: canonical, using: &random)
            if taken.insert(ValueShape.canonical(invented, of: entity)).inserted { break }
        }
        return invented
    }
}
