/// Writes JSON texts into bytes it owns, placing commas and colons itself.
///
/// A call that could not lead to valid JSON (a value in an object without a key, an end without a
/// beginning) is our mistake and stops the program in words. Memory is reused after `removeAll`.
public struct JSONWriter: Sendable {
    /// What was written so far; a whole JSON text once `isComplete`.
    public internal(set) var bytes: [UInt8] = []

    private var state = State.beginning
    /// How many containers are open, and for each from the outermost whether it is an object, as
    /// bits.
    private var depth = 0
    private var objects: UInt64 = 0

    /// The most containers that may be open at once. A value copied from a document may nest
    /// deeper.
    public static let maximumDepth = 64

    private enum State {
        case beginning, firstElement, element, firstName, name, memberValue, complete
    }

    /// A writer with room for `capacity` bytes before it allocates again.
    public init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// Whether a whole value has been written.
    public var isComplete: Bool { state == .complete }

    /// Starts over, keeping the memory if asked to.
    public mutating func removeAll(keepingCapacity: Bool) {
        bytes.removeAll(keepingCapacity: keepingCapacity)
        (state, depth, objects) = (.beginning, 0, 0)
    }

    /// Hands out the complete text and starts over without memory.
    public mutating func finish() -> [UInt8] {
        precondition(isComplete, "the JSON text is handed out before its end")
        let text = bytes
        self = JSONWriter()
        return text
    }

    /// Writes text around JSON values, such as the framing of server-sent events; another value may
    /// follow. Only before the first value or after a complete one.
    public mutating func framing(_ text: StaticString) {
        precondition(depth == 0, "framing inside of a JSON text")
        append(text)
        state = .beginning
    }

    /// Begins an object, to be ended by `endObject`.
    public mutating func beginObject() {
        beginValue()
        push(isObject: true)
        bytes.append(UInt8(ascii: "{"))
        state = .firstName
    }

    /// Ends the innermost object.
    public mutating func endObject() {
        precondition(
            state == .firstName || state == .name, "no object to end, or a key has no value")
        bytes.append(UInt8(ascii: "}"))
        pop()
    }

    /// Begins an array, to be ended by `endArray`.
    public mutating func beginArray() {
        beginValue()
        push(isObject: false)
        bytes.append(UInt8(ascii: "["))
        state = .firstElement
    }

    /// Ends the innermost array.
    public mutating func endArray() {
        precondition(state == .firstElement || state == .element, "no array to end")
        bytes.append(UInt8(ascii: "]"))
        pop()
    }

    /// Writes a member name as it stands: it holds nothing that JSON escapes.
    public mutating func key(_ name: StaticString) {
        beginName()
        bytes.append(UInt8(ascii: "\""))
        appendPlain(name)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    /// Writes a member name, escaped. Disfavoured, so that a literal is a `StaticString`.
    @_disfavoredOverload
    public mutating func key(_ name: String) {
        beginName()
        appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// Writes a whole number.
    public mutating func integer(_ value: Int64) {
        beginValue()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        appendDigits(value.magnitude)
    }

    /// Writes a whole number.
    public mutating func integer(_ value: Int) { integer(Int64(value)) }

    /// Writes a whole number.
    public mutating func unsigned(_ value: UInt64) {
        beginValue()
        appendDigits(value)
    }

    /// Writes a number as the shortest text that reads back as the same double, always with a
    /// decimal point or an exponent. JSON has no infinity and no NaN, and a parsed value is
    /// neither: finite is a condition.
    public mutating func double(_ value: Double) {
        beginValue()
        appendDouble(value)
    }

    /// Writes `true` or `false`.
    public mutating func bool(_ value: Bool) {
        beginValue()
        append(value ? "true" : "false")
    }

    /// Writes `null`.
    public mutating func null() {
        beginValue()
        append("null")
    }

    /// Writes one value that is JSON already. Its bytes are trusted, not looked at.
    public mutating func raw(_ json: [UInt8]) {
        precondition(!json.isEmpty, "an empty fragment is no JSON value")
        beginValue()
        bytes.append(contentsOf: json)
    }

    /// Accounts for a value about to be written: places the comma before it.
    mutating func beginValue() {
        switch state {
        case .beginning: state = .complete
        case .firstElement: state = .element
        case .element: bytes.append(UInt8(ascii: ","))
        case .memberValue: state = .name
        case .firstName, .name: preconditionFailure("a value in a JSON object needs a key first")
        case .complete: preconditionFailure("a second value after the end of the JSON text")
        }
    }

    private mutating func beginName() {
        switch state {
        case .firstName: break
        case .name: bytes.append(UInt8(ascii: ","))
        default: preconditionFailure("a JSON key outside of an object, or two in a row")
        }
        state = .memberValue
    }

    private mutating func push(isObject: Bool) {
        precondition(depth < Self.maximumDepth, "a JSON writer nests at most 64 containers")
        objects = objects << 1 | (isObject ? 1 : 0)
        depth += 1
    }

    private mutating func pop() {
        objects >>= 1
        depth -= 1
        state = depth == 0 ? .complete : objects & 1 == 1 ? .name : .element
    }
}
