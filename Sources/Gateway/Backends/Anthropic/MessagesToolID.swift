/// The id of a call, as Anthropic's API takes it: letters, digits, `_` and `-`.
enum MessagesToolID {
    /// The id to send for a client's. One of another backend may hold anything: each other byte is
    /// written as two digits behind `_`, the same in the call and in its result.
    static func make(of id: String) -> String {
        guard !id.isEmpty else { return "_" }
        guard !id.utf8.allSatisfy(isPlain) else { return id }
        var made = ""
        for byte in id.utf8 {
            if isPlain(byte) {
                made.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16)
                made += digits.count == 1 ? "_0" + digits : "_" + digits
            }
        }
        return made
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
