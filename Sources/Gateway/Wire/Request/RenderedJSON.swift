/// How much longer a JSON text can become when a chat template renders it: templates write it
/// anew, indented by up to four blanks a level or with blanks after commas and colons, and some
/// escape characters that need it nowhere.
enum RenderedJSON {
    /// The most bytes that rendering adds to `text`, which may be no JSON at all.
    static func growth(of text: some Sequence<UInt8>) -> Int64 {
        var growth: Int64 = 0
        // A tool is rendered within a list and an object or two of the template's own.
        var depth: Int64 = 3
        var isInString = false
        var isEscaped = false
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""):
                if !isEscaped { isInString.toggle() }
                growth += 1
            case UInt8(ascii: "\\"): growth += 1
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), UInt8(ascii: "'"):
                growth += 5
            case 0..<0x20: growth += 5
            // A character beyond ASCII is at most 12 bytes as escapes, for its two to four.
            case 0x80...0xFF: growth += 2
            default: break
            }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
            guard !isInString else { continue }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                growth += 1 + 4 * depth
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                growth += 1 + 4 * depth
                depth = max(3, depth - 1)
            case UInt8(ascii: ","): growth += 1 + 4 * depth
            case UInt8(ascii: ":"): growth += 1
            default: break
            }
        }
        return growth
    }
}
