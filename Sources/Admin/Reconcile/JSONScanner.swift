/// Reads JSON (RFC 8259) as it comes, without ever holding more than one string of it: several
/// documents may follow each other, as saved pages of an API do.
struct JSONScanner {
    /// What is told as it is read. A path joins the keys of the objects around a value with points;
    /// arrays add nothing to it.
    enum Event {
        /// A string, a number or a word; nil for null.
        case value(String?, path: String)
        /// An object begins.
        case began(path: String)
        /// An object is complete.
        case ended(path: String)
    }

    private enum State {
        case value, firstValue, firstKey, key, colon, next
        case string(isKey: Bool), escape(isKey: Bool), unicode(isKey: Bool)
        case word
    }

    private struct Container {
        let isObject: Bool
        let path: String
    }

    /// Deeper documents and longer strings are no export's.
    private static let deepest = 16
    private static let longest = 16_384

    private var line = 1
    private var state = State.value
    private var containers: [Container] = []
    private var key = ""
    private var text: [UInt8] = []
    private var digits: [UInt8] = []
    private var firstHalf: UInt16?

    /// Takes the next bytes and tells what they are, and on which line.
    mutating func scan(_ bytes: some Sequence<UInt8>, _ body: (Event, Int) throws -> Void) throws {
        for byte in bytes {
            try take(byte, body)
            if byte == UInt8(ascii: "\n") { line += 1 }
        }
    }

    /// Throws unless every document is complete.
    mutating func finish(_ body: (Event, Int) throws -> Void) throws {
        if case .word = state { try endWord(body) }
        guard containers.isEmpty, case .value = state else {
            throw failure("The file ends within its JSON.")
        }
    }

    private mutating func take(_ byte: UInt8, _ body: (Event, Int) throws -> Void) throws {
        switch state {
        case .string(let isKey): try takeString(byte, isKey: isKey, body)
        case .escape(let isKey): try takeEscape(byte, isKey: isKey)
        case .unicode(let isKey): try takeUnicode(byte, isKey: isKey)
        case .word:
            if Self.isWord(byte) { return try append(byte) }
            try endWord(body)
            try take(byte, body)
        case _ where Self.isSpace(byte): return
        case .value, .firstValue: try takeValue(byte, body)
        case .firstKey, .key:
            if byte == UInt8(ascii: "\"") { return state = .string(isKey: true) }
            guard case .firstKey = state, byte == UInt8(ascii: "}") else { throw unexpected() }
            try close(isObject: true, body)
        case .colon:
            guard byte == UInt8(ascii: ":") else { throw unexpected() }
            state = .value
        case .next:
            let isObject = containers.last?.isObject ?? false
            if byte == UInt8(ascii: ",") {
                state = isObject ? .key : .value
            } else {
                guard byte == UInt8(ascii: isObject ? "}" : "]") else { throw unexpected() }
                try close(isObject: isObject, body)
            }
        }
    }

    private mutating func takeValue(_ byte: UInt8, _ body: (Event, Int) throws -> Void) throws {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard containers.count < Self.deepest else { throw failure("The JSON is too deep.") }
            let isObject = byte == UInt8(ascii: "{")
            let own = path
            containers.append(Container(isObject: isObject, path: own))
            if isObject { try body(.began(path: own), line) }
            key = ""
            state = isObject ? .firstKey : .firstValue
        case UInt8(ascii: "]"):
            guard case .firstValue = state else { throw unexpected() }
            try close(isObject: false, body)
        case UInt8(ascii: "\""): state = .string(isKey: false)
        case _ where Self.isWord(byte):
            state = .word
            try append(byte)
        default: throw unexpected()
        }
    }

    /// Where the next value stands: within an object below its key.
    private var path: String {
        guard let last = containers.last else { return "" }
        if !last.isObject { return last.path }
        return last.path.isEmpty ? key : last.path + "." + key
    }

    private mutating func close(isObject: Bool, _ body: (Event, Int) throws -> Void) throws {
        guard let closed = containers.popLast() else { throw unexpected() }
        if isObject { try body(.ended(path: closed.path), line) }
        state = containers.isEmpty ? .value : .next
    }

    private mutating func tell(_ value: String?, _ body: (Event, Int) throws -> Void) throws {
        try body(.value(value, path: path), line)
        text.removeAll(keepingCapacity: true)
        state = containers.isEmpty ? .value : .next
    }

    private mutating func endWord(_ body: (Event, Int) throws -> Void) throws {
        let word = String(decoding: text, as: UTF8.self)
        switch word {
        case "null": try tell(nil, body)
        case "true", "false": try tell(word, body)
        default:
            guard DecimalText.scaled(word, decimals: 0) != nil else { throw unexpected() }
            try tell(word, body)
        }
    }

    private mutating func takeString(
        _ byte: UInt8, isKey: Bool, _ body: (Event, Int) throws -> Void
    ) throws {
        switch byte {
        case UInt8(ascii: "\""):
            guard isKey else { return try tell(String(decoding: text, as: UTF8.self), body) }
            key = String(decoding: text, as: UTF8.self)
            text.removeAll(keepingCapacity: true)
            state = .colon
        case UInt8(ascii: "\\"): state = .escape(isKey: isKey)
        case 0..<0x20: throw failure("A string holds a line's end.")
        default: try append(byte)
        }
    }

    private mutating func takeEscape(_ byte: UInt8, isKey: Bool) throws {
        let plain: UInt8
        switch byte {
        case UInt8(ascii: "u"): return state = .unicode(isKey: isKey)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = byte
        case UInt8(ascii: "b"): plain = 8
        case UInt8(ascii: "f"): plain = 12
        case UInt8(ascii: "n"): plain = 10
        case UInt8(ascii: "r"): plain = 13
        case UInt8(ascii: "t"): plain = 9
        default: throw unexpected()
        }
        try append(plain)
        state = .string(isKey: isKey)
    }

    private mutating func takeUnicode(_ byte: UInt8, isKey: Bool) throws {
        digits.append(byte)
        guard digits.count == 4 else { return }
        guard let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw unexpected()
        }
        digits.removeAll(keepingCapacity: true)
        state = .string(isKey: isKey)
        if UTF16.isLeadSurrogate(unit) { return firstHalf = unit }
        let units = [firstHalf, unit].compactMap(\.self)
        firstHalf = nil
        for byte in String(decoding: units, as: UTF16.self).utf8 { try append(byte) }
    }

    private mutating func append(_ byte: UInt8) throws {
        guard text.count < Self.longest else { throw failure("A text in the JSON does not end.") }
        text.append(byte)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [32, 9, 10, 13].contains(byte) }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "."):
            true
        default: false
        }
    }

    private func unexpected() -> AdminFailure { failure("The file is no JSON.") }

    private func failure(_ message: String) -> AdminFailure {
        .refused(
            "\(message) (line \(line))",
            advice: "Save the API's answers as they come, one after the other, or export CSV.")
    }
}
