/// Why bytes were refused. Every description is safe to show to whoever sent them.
public enum JSONError: Error, Equatable, Sendable {
    /// The text breaks the grammar of RFC 8259: what is wrong and, where known, at which byte.
    case notJSON(_ what: String, offset: Int?)
    /// Objects and arrays nest deeper than `limit`.
    case tooDeep(limit: Int)
    /// There are more than `limit` bytes.
    case tooLarge(limit: Int)
    /// There are more than `limit` nodes; a node is a value or the name of a member.
    case tooManyNodes(limit: Int)
    /// The bytes are not UTF-8.
    case invalidUTF8
    /// An object names a member twice. The payload is the path of the second, such as
    /// `messages[3].role`.
    case duplicateKey(String)
    /// There is no value: no bytes, or only white space.
    case empty
    /// A number does not fit: an integer beyond 64 bits, or a decimal beyond the largest double.
    case numberOutOfRange(JSONNumberFault)
}

/// A number that does not fit.
public struct JSONNumberFault: Equatable, Sendable {
    /// The member of the outermost object whose value it is, at most 64 characters of its name as it
    /// stands in the text; nil where it is elsewhere.
    public let member: String?
    /// Whether it is written without a fraction and an exponent.
    public let isWhole: Bool
    /// Whether it is below zero.
    public let isNegative: Bool
}

extension JSONError: CustomStringConvertible {
    /// One sentence without a full stop.
    public var description: String {
        switch self {
        case .notJSON(let what, .some(let offset)): "not valid JSON: \(what) at byte \(offset)"
        case .notJSON(let what, .none): "not valid JSON: \(what)"
        case .tooDeep(let limit): "the JSON nests deeper than \(limit) levels"
        case .tooLarge(let limit): "the JSON is larger than \(limit) bytes"
        case .tooManyNodes(let limit): "the JSON has more than \(limit) values and member names"
        case .invalidUTF8: "not valid JSON: the bytes are not UTF-8"
        case .duplicateKey(let path): "the member '\(path)' appears twice"
        case .empty: "not valid JSON: there is no value"
        case .numberOutOfRange: "a number in the JSON is out of range"
        }
    }
}
