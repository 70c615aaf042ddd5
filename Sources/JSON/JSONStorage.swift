import CSimdJSON

/// The tape and the strings of one parsed text, as simdjson lays them out.
///
/// A tape word has a tag in its top byte and a payload below. A container's opening word names the
/// index after its closing one (low 32 bits) and how many elements or members it has (24 bits,
/// saturating); a number's bits are in the word after its tag; a string's payload is where its
/// length (4 bytes) and its bytes are in `strings`. Word 0 is the root, whose payload is the number
/// of words.
///
// Safe to share between threads because it is written only by the parser that made it, and only
// while no document or value refers to it (the parser asks `isKnownUniquelyReferenced` before it
// writes).
@safe final class JSONStorage: @unchecked Sendable {
    private(set) var tape: UnsafeMutablePointer<UInt64>
    private(set) var strings: UnsafeMutablePointer<UInt8>
    let tapeCapacity: Int
    let stringCapacity: Int

    /// Room for `tapeCapacity` words and `stringCapacity` bytes; nothing to read until it is built.
    init(tapeCapacity: Int, stringCapacity: Int) {
        unsafe tape = .allocate(capacity: tapeCapacity)
        unsafe strings = .allocate(capacity: stringCapacity)
        self.tapeCapacity = tapeCapacity
        self.stringCapacity = stringCapacity
    }

    deinit {
        unsafe tape.deallocate()
        unsafe strings.deallocate()
    }

    /// The memory held, in bytes.
    var footprint: Int { tapeCapacity * 8 + stringCapacity }

    /// The index after the last word.
    var end: Int { Int(payload(0)) }

    func word(_ index: Int) -> UInt64 { unsafe tape[index] }

    func tag(_ index: Int) -> UInt8 { unsafe UInt8(truncatingIfNeeded: tape[index] >> 56) }

    func payload(_ index: Int) -> UInt64 { unsafe tape[index] & 0x00FF_FFFF_FFFF_FFFF }

    /// The index of what follows the value or member name at `index`, in constant time.
    func next(after index: Int) -> Int {
        let word = unsafe tape[index]
        switch UInt8(truncatingIfNeeded: word >> 56) {
        case JSONTag.object, JSONTag.array: return Int(word & 0xFFFF_FFFF)
        case JSONTag.integer, JSONTag.unsigned, JSONTag.double: return index + 2
        default: return index + 1
        }
    }

    /// The bytes of the string at `index`: valid UTF-8, valid while this storage lives.
    func utf8(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        let start = unsafe strings + Int(payload(index))
        let length = unsafe UnsafeRawPointer(start).loadUnaligned(as: UInt32.self)
        return unsafe UnsafeBufferPointer(start: start + 4, count: Int(length))
    }

    /// The length of the string at `index` and its first four bytes (or fewer and zeros), as one
    /// word: strings whose heads differ are different. A string ends in a zero and lies in a buffer
    /// with slack.
    func head(_ index: Int) -> UInt64 {
        let start = unsafe UnsafeRawPointer(strings + Int(payload(index)))
        let head = unsafe UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
        let length = head & 0xFFFF_FFFF
        // Bytes past the end belong to whatever was there before and must not take part.
        return length >= 4 ? head : head & ((1 << (32 + 8 * length)) - 1)
    }

    /// Whether the string at `index` is exactly `bytes`.
    func string(_ index: Int, equals bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let own = unsafe utf8(index)
        guard own.count == bytes.count else { return false }
        for position in 0..<own.count where unsafe own[position] != bytes[position] { return false }
        return true
    }
}

/// The tags of simdjson's tape.
enum JSONTag {
    static let root = UInt8(ascii: "r")
    static let object = UInt8(ascii: "{")
    static let objectEnd = UInt8(ascii: "}")
    static let array = UInt8(ascii: "[")
    static let arrayEnd = UInt8(ascii: "]")
    static let string = UInt8(ascii: "\"")
    static let integer = UInt8(ascii: "l")
    static let unsigned = UInt8(ascii: "u")
    static let double = UInt8(ascii: "d")
    static let yes = UInt8(ascii: "t")
    static let no = UInt8(ascii: "f")
    static let null = UInt8(ascii: "n")
}
