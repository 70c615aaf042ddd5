extension JSONWriter {
    /// Writes a string, escaped.
    public mutating func string(_ text: String) {
        beginValue()
        appendQuoted(text)
    }

    /// Writes a string from bytes that should be UTF-8; what is not becomes U+FFFD, as in
    /// `String(decoding:)`.
    public mutating func string(utf8 text: Span<UInt8>) {
        beginValue()
        unsafe text.withUnsafeBufferPointer { buffer in unsafe appendQuoted(checking: buffer) }
    }

    /// Writes a string from bytes that should be UTF-8; what is not becomes U+FFFD, as in
    /// `String(decoding:)`.
    public mutating func string(utf8 text: [UInt8]) { string(utf8: text.span) }

    /// Writes a string from bytes that should be UTF-8; what is not becomes U+FFFD, as in
    /// `String(decoding:)`.
    public mutating func string(utf8 text: ArraySlice<UInt8>) { string(utf8: text.span) }

    /// Writes one value that is JSON already. Its bytes are trusted, not looked at.
    public mutating func raw(_ json: ArraySlice<UInt8>) {
        precondition(!json.isEmpty, "an empty fragment is no JSON value")
        beginValue()
        bytes.append(contentsOf: json)
    }

    /// Writes one value that is JSON already.
    public mutating func raw(_ json: StaticString) {
        precondition(json.utf8CodeUnitCount > 0, "an empty fragment is no JSON value")
        beginValue()
        append(json)
    }

    mutating func appendQuoted(_ text: String) {
        unsafe text.utf8.span.withUnsafeBufferPointer { buffer in unsafe appendQuoted(buffer) }
    }

    private mutating func appendQuoted(checking text: UnsafeBufferPointer<UInt8>) {
        if unsafe Self.isASCII(text) {
            unsafe appendQuoted(text)
        } else {
            unsafe appendQuoted(String(decoding: text, as: UTF8.self))
        }
    }

    private static func isASCII(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var bits: UInt8 = 0
        for position in 0..<text.count { bits |= unsafe text[position] }
        return bits < 0x80
    }

    /// Appends valid UTF-8 in quotes. What RFC 8259 demands is escaped (quote, backslash and the
    /// control characters below U+0020), and U+2028 and U+2029, which some readers of event streams
    /// and scripts take for the end of a line.
    mutating func appendQuoted(_ text: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        var position = unsafe Self.firstSpecial(in: text, from: 0)
        while position < text.count {
            let byte = unsafe text[position]
            if byte == 0xE2 {
                // The first of three bytes; only two of the characters it begins are escaped.
                if position + 2 < text.count, unsafe text[position + 1] == 0x80,
                    unsafe text[position + 2] & 0xFE == 0xA8
                {
                    unsafe appendRun(text, start..<position)
                    append(unsafe text[position + 2] == 0xA8 ? "\\u2028" : "\\u2029")
                    start = position + 3
                    position = start
                } else {
                    position += 1
                }
            } else {
                unsafe appendRun(text, start..<position)
                appendEscape(byte)
                start = position + 1
                position = start
            }
            position = unsafe Self.firstSpecial(in: text, from: position)
        }
        unsafe appendRun(text, start..<text.count)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Where the next byte is that may need an escape; the count if there is none. Eight bytes at a
    /// time (Mycroft's zero-byte test): borrows can mark only bytes above a true one, so the lowest
    /// mark is true.
    private static func firstSpecial(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var position = start
        let raw = UnsafeRawBufferPointer(text)
        while position + 8 <= text.count {
            let word = unsafe UInt64(
                littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5C)
            let separator = word ^ (ones &* 0xE2)
            let marks =
                ((word &- ones &* 0x20) & ~word) | ((quote &- ones) & ~quote)
                | ((backslash &- ones) & ~backslash) | ((separator &- ones) & ~separator)
            if marks & tops != 0 { return position + (marks & tops).trailingZeroBitCount / 8 }
            position += 8
        }
        while position < text.count {
            let byte = unsafe text[position]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == 0xE2 { break }
            position += 1
        }
        return position
    }

    private mutating func appendRun(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[range]))
    }

    private mutating func appendEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0A: append("\\n")
        case 0x0C: append("\\f")
        case 0x0D: append("\\r")
        default:
            append("\\u00")
            bytes.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            let low = byte & 0x0F
            bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
        }
    }

    /// Appends a text of ours as it stands.
    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { buffer in unsafe bytes.append(contentsOf: buffer) }
    }

    /// Appends a text of ours as it stands, having looked (in debug builds) that nothing in it is
    /// escaped.
    mutating func appendPlain(_ text: StaticString) {
        text.withUTF8Buffer { buffer in
            assert(
                unsafe Self.firstSpecial(in: buffer, from: 0) == buffer.count,
                "a static JSON key needs no escape")
            unsafe bytes.append(contentsOf: buffer)
        }
    }
}
