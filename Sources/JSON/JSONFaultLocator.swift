/// Finds what is wrong with a text that simdjson refused, and where: simdjson says only that
/// something is.
///
/// A validating parser after the grammar of RFC 8259, without recursion. Runs once per refused
/// text, so it is written to be plain rather than fast; its work is linear in the text.
struct JSONFaultLocator {
    private let bytes: [UInt8]
    private let maximumDepth: Int
    private var position = 0
    /// The containers that are open, outermost first; true for an object.
    private var open: [Bool] = []
    private var expected = Expected.value
    /// Where the last name of a member of the outermost object stands, without its quotes.
    private var member: Range<Int>?

    private enum Expected {
        case value, valueOrEnd, name, nameOrEnd, colon, separatorOrEnd, endOfText
    }

    init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    /// The first fault, or nil if the text is valid JSON (its UTF-8 is not looked at).
    mutating func locate() -> JSONError? {
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while true {
            skipWhiteSpace()
            guard position < bytes.count else {
                return expected == .endOfText ? nil : fault("the text ends too early")
            }
            if let fault = take() { return fault }
        }
    }

    /// Takes one token.
    private mutating func take() -> JSONError? {
        let byte = bytes[position]
        switch (expected, byte) {
        case (.endOfText, _):
            return fault("there is more text after the value")
        case (.valueOrEnd, UInt8(ascii: "]")), (.nameOrEnd, UInt8(ascii: "}")):
            return close()
        case (.value, _), (.valueOrEnd, _):
            return takeValue(byte)
        case (.name, UInt8(ascii: "\"")), (.nameOrEnd, UInt8(ascii: "\"")):
            expected = .colon
            let start = position + 1
            let fault = takeString()
            if fault == nil, open.count == 1 { member = start..<position - 1 }
            return fault
        case (.name, _), (.nameOrEnd, _):
            return fault("a member name in quotes is expected")
        case (.colon, UInt8(ascii: ":")):
            position += 1
            expected = .value
            return nil
        case (.colon, _):
            return fault("a colon is expected")
        case (.separatorOrEnd, UInt8(ascii: ",")):
            position += 1
            expected = open.last == true ? .name : .value
            return nil
        case (.separatorOrEnd, UInt8(ascii: "]")) where open.last == false,
            (.separatorOrEnd, UInt8(ascii: "}")) where open.last == true:
            return close()
        case (.separatorOrEnd, _):
            return fault(
                "a comma or the end of the \(open.last == true ? "object" : "array") is expected")
        }
    }

    private mutating func takeValue(_ byte: UInt8) -> JSONError? {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard open.count < maximumDepth else { return .tooDeep(limit: maximumDepth) }
            open.append(byte == UInt8(ascii: "{"))
            position += 1
            expected = open.last == true ? .nameOrEnd : .valueOrEnd
            return nil
        case UInt8(ascii: "\""):
            finishValue()
            return takeString()
        case UInt8(ascii: "t"): return takeLiteral("true")
        case UInt8(ascii: "f"): return takeLiteral("false")
        case UInt8(ascii: "n"): return takeLiteral("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            finishValue()
            return takeNumber()
        default:
            return fault("a value is expected")
        }
    }

    private mutating func close() -> JSONError? {
        open.removeLast()
        position += 1
        finishValue()
        return nil
    }

    private mutating func finishValue() {
        expected = open.isEmpty ? .endOfText : .separatorOrEnd
    }

    private mutating func takeLiteral(_ literal: String) -> JSONError? {
        guard bytes[position...].starts(with: literal.utf8) else {
            return fault("a value is expected")
        }
        position += literal.utf8.count
        finishValue()
        return nil
    }

    private mutating func takeString() -> JSONError? {
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return nil
            case UInt8(ascii: "\\"):
                if let fault = takeEscape() { return fault }
            case 0..<0x20:
                return fault("a control character in a string must be escaped")
            default:
                position += 1
            }
        }
        return fault("a string is not closed")
    }

    private mutating func takeEscape() -> JSONError? {
        guard position + 1 < bytes.count else { return fault("a string is not closed") }
        guard bytes[position + 1] == UInt8(ascii: "u") else {
            guard "\"\\/bfnrt".utf8.contains(bytes[position + 1]) else {
                return fault("an escape is unknown")
            }
            position += 2
            return nil
        }
        guard let unit = codeUnit(at: position) else {
            return fault("an escape \\u needs four hexadecimal digits")
        }
        switch unit {
        case 0xDC00...0xDFFF:
            return fault("an escape \\u is half of a surrogate pair")
        case 0xD800...0xDBFF:
            guard let low = codeUnit(at: position + 6), (0xDC00...0xDFFF).contains(low) else {
                return fault("an escape \\u is half of a surrogate pair")
            }
            position += 12
        default:
            position += 6
        }
        return nil
    }

    /// The UTF-16 code unit that the escape at `start` stands for; nil if there is no such escape.
    private func codeUnit(at start: Int) -> UInt32? {
        guard start + 6 <= bytes.count, bytes[start] == UInt8(ascii: "\\"),
            bytes[start + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt32 = 0
        for byte in bytes[(start + 2)..<(start + 6)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                return nil
            }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    private mutating func takeNumber() -> JSONError? {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let firstDigit = position
        guard takeDigits() else { return fault("a digit is expected") }
        if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1 {
            position = firstDigit
            return fault("a number must not start with a zero")
        }
        var isWhole = true
        if at(".") {
            isWhole = false
            position += 1
            guard takeDigits() else { return fault("a digit is expected") }
        }
        if at("e") || at("E") {
            isWhole = false
            position += 1
            if at("+") || at("-") { position += 1 }
            guard takeDigits() else { return fault("a digit is expected") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        let fits =
            isWhole
            ? Int64(text) != nil || UInt64(text) != nil : Double(text).map(\.isFinite) ?? false
        return fits ? nil : numberFault(isWhole: isWhole, isNegative: text.hasPrefix("-"))
    }

    private func numberFault(isWhole: Bool, isNegative: Bool) -> JSONError {
        let name = open == [true] ? member.map { String(decoding: bytes[$0], as: UTF8.self) } : nil
        return .numberOutOfRange(
            JSONNumberFault(
                member: name.map { String($0.prefix(64)) }, isWhole: isWhole,
                isNegative: isNegative))
    }

    /// Takes the digits at the position; false if there is none.
    private mutating func takeDigits() -> Bool {
        let start = position
        while position < bytes.count,
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position])
        {
            position += 1
        }
        return position > start
    }

    private func at(_ character: Unicode.Scalar) -> Bool {
        position < bytes.count && bytes[position] == UInt8(ascii: character)
    }

    private mutating func skipWhiteSpace() {
        while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) {
            position += 1
        }
    }

    private func fault(_ what: String) -> JSONError { .notJSON(what, offset: position) }
}
