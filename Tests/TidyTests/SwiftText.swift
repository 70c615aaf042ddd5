/// Swift source split into what is code, what is comment and what stands in string literals, line
/// by line, so that a rule about code does not trip over a comment. A lexer of a page: it knows
/// nested comments, string literals of one and of several lines, raw ones, and code inside
/// interpolations.
struct SwiftText: Sendable {
    /// A string literal's text and the line on which it begins, from 1.
    struct Literal: Equatable, Sendable {
        let line: Int
        var text: String
    }

    /// Each line without comments and without the text of string literals, whose quotes stay.
    private(set) var code: [String] = [""]
    /// Each line's comment.
    private(set) var comments: [String] = [""]
    /// Every string literal, interpolations left out.
    private(set) var literals: [Literal] = []

    private var scalars: [Unicode.Scalar]
    private var index = 0

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
        readCode(until: nil)
        scalars = []
    }

    private func at(_ offset: Int) -> Unicode.Scalar? {
        scalars.indices.contains(index + offset) ? scalars[index + offset] : nil
    }

    private func sees(_ text: String) -> Bool {
        text.unicodeScalars.enumerated().allSatisfy { at($0.offset) == $0.element }
    }

    /// Reads code to the end, or to the parenthesis that closes an interpolation.
    private mutating func readCode(until end: Unicode.Scalar?) {
        var depth = 0
        while let scalar = at(0) {
            if sees("//") {
                readLineComment()
            } else if sees("/*") {
                readBlockComment()
            } else if scalar == "\"" || scalar == "#" && startsRawLiteral {
                readLiteral()
            } else {
                if scalar == "(" { depth += 1 }
                if scalar == ")" {
                    if depth == 0, end != nil { return }
                    depth -= 1
                }
                take { $0.code[$0.code.count - 1].unicodeScalars.append(scalar) }
            }
        }
    }

    private var startsRawLiteral: Bool {
        var offset = 0
        while at(offset) == "#" { offset += 1 }
        return at(offset) == "\""
    }

    /// Takes one scalar, which may end the line.
    private mutating func take(_ append: (inout SwiftText) -> Void) {
        if at(0) == "\n" {
            code.append("")
            comments.append("")
        } else {
            append(&self)
        }
        index += 1
    }

    private mutating func readLineComment() {
        while let scalar = at(0), scalar != "\n" {
            take { $0.comments[$0.comments.count - 1].unicodeScalars.append(scalar) }
        }
    }

    private mutating func readBlockComment() {
        var depth = 0
        while let scalar = at(0) {
            if sees("/*") { depth += 1 }
            if sees("*/") { depth -= 1 }
            take { $0.comments[$0.comments.count - 1].unicodeScalars.append(scalar) }
            if depth == 0 {
                index += 1
                return
            }
        }
    }

    private mutating func readLiteral() {
        var hashes = ""
        while at(0) == "#" {
            hashes += "#"
            index += 1
        }
        let quote = sees("\"\"\"") ? "\"\"\"" : "\""
        index += quote.count
        code[code.count - 1] += "\""
        var literal = Literal(line: code.count, text: "")
        let isRaw = !hashes.isEmpty
        while let scalar = at(0) {
            if sees(quote + hashes) {
                index += quote.count + hashes.count
                break
            }
            if sees("\\" + hashes + "(") {
                index += 2 + hashes.count
                readCode(until: ")")
                index += 1
                continue
            }
            if !isRaw, scalar == "\\" {
                take { _ in }
                literal.text.unicodeScalars.append(scalar)
            }
            guard let next = at(0) else { break }
            literal.text.unicodeScalars.append(next)
            take { _ in }
        }
        code[code.count - 1] += "\""
        literals.append(literal)
    }
}
