/// What a byte of a text is.
enum ASCII {
    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    @inline(__always) static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    @inline(__always) static func isUpper(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 }
    @inline(__always) static func isLower(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }
    /// A letter, a digit or an underscore.
    @inline(__always) static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || isLetter(byte) || byte == 0x5F
    }
    @inline(__always) static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || isLetter(byte)
    }
    @inline(__always) static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte &- 0x09 < 5
    }
    /// The value of a hexadecimal digit; nil for another byte.
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte - 0x30 }
        let lower = byte | 0x20
        return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : nil
    }
    /// The capital of a letter; any other byte as it is.
    @inline(__always) static func upper(_ byte: UInt8) -> UInt8 {
        isLower(byte) ? byte - 0x20 : byte
    }
    @inline(__always) static func lower(_ byte: UInt8) -> UInt8 {
        isUpper(byte) ? byte + 0x20 : byte
    }
    /// A byte of a letter beyond ASCII of the Latin, Greek or Cyrillic script (U+00C0 to U+04FF),
    /// which in an address belongs to it; text of a script without spaces around an address does not.
    @inline(__always) static func isExtendedLead(_ byte: UInt8) -> Bool {
        byte >= 0xC3 && byte <= 0xD3
    }
    @inline(__always) static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}

extension Character {
    /// The byte of an ASCII character that stands in this program's text.
    var ascii: UInt8 {
        guard let value = asciiValue else { preconditionFailure("not an ASCII character") }
        return value
    }
}
