/// A run of ASCII letters, digits and underscores, and what stands between it and the next one.
struct TextToken {
    /// What a token is made of.
    enum Kind {
        case digits
        case letters
        /// Letters and digits, or an underscore.
        case mixed
    }

    /// What stands between two tokens.
    enum Gap {
        /// One space, of any width that does not break the line.
        case space
        case hyphen
        case dot
        case slash
        /// `(` with or without a space before it.
        case opening
        /// `)` with or without a space or a hyphen behind it.
        case closing
        /// The end of a sentence, an empty line or the end of the text.
        case sentence
        case other
    }

    /// Its first byte.
    let start: Int
    /// The byte behind its last.
    let end: Int
    let kind: Kind
    /// What its meaning says about the numbers around it.
    let context: ContextWords
    /// What follows it.
    let gap: Gap

    var count: Int { end - start }
    var range: Range<Int> { start..<end }
    var hasDigits: Bool { kind != .letters }
}
