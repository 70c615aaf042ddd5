/// One value of a document. Holding it holds the document; copying it copies a reference and an
/// index.
public struct JSONValue: Sendable {
    /// What a value is, by its token: `3.0` is a double, `3` an integer.
    public enum Kind: Sendable, Equatable {
        case object, array, string
        /// A whole number from −2^63 to 2^63 − 1.
        case integer
        /// A whole number from 2^63 to 2^64 − 1.
        case unsigned
        case double, bool, null
    }

    let storage: JSONStorage
    let index: Int

    /// What the value is.
    public var kind: Kind {
        switch storage.tag(index) {
        case JSONTag.object: .object
        case JSONTag.array: .array
        case JSONTag.string: .string
        case JSONTag.integer: .integer
        case JSONTag.unsigned: .unsigned
        case JSONTag.double: .double
        case JSONTag.yes, JSONTag.no: .bool
        default: .null
        }
    }

    /// Whether the value is `null`.
    public var isNull: Bool { storage.tag(index) == JSONTag.null }

    /// The truth value; nil if it is no Boolean.
    public var bool: Bool? {
        switch storage.tag(index) {
        case JSONTag.yes: true
        case JSONTag.no: false
        default: nil
        }
    }

    /// The number, if its token is a whole number that fits; `3.0` is nil, see `exactInteger`.
    public var integer: Int64? {
        guard storage.tag(index) == JSONTag.integer else { return nil }
        return Int64(bitPattern: storage.word(index + 1))
    }

    /// The number, if its token is a whole number from 0 to 2^64 − 1.
    public var unsigned: UInt64? {
        switch storage.tag(index) {
        case JSONTag.unsigned: storage.word(index + 1)
        case JSONTag.integer: UInt64(exactly: Int64(bitPattern: storage.word(index + 1)))
        default: nil
        }
    }

    /// The number as a double; a whole number beyond ±2^53 is rounded. Always finite.
    public var double: Double? {
        switch storage.tag(index) {
        case JSONTag.double: Double(bitPattern: storage.word(index + 1))
        case JSONTag.integer: Double(Int64(bitPattern: storage.word(index + 1)))
        case JSONTag.unsigned: Double(storage.word(index + 1))
        default: nil
        }
    }

    /// The whole number that the value stands for: an integer token, or a double such as `3.0` or
    /// `1e3` that is whole and within ±2^53, where doubles are exact.
    public var exactInteger: Int64? {
        if let integer { return integer }
        guard storage.tag(index) == JSONTag.double else { return nil }
        let value = Double(bitPattern: storage.word(index + 1))
        guard value.magnitude <= 9_007_199_254_740_992 else { return nil }
        let whole = Int64(value)
        return Double(whole) == value ? whole : nil
    }

    /// The number of elements of an array or members of an object; 0 for anything else.
    public var count: Int {
        guard isContainer else { return 0 }
        let count = Int((storage.payload(index) >> 32) & 0xFF_FFFF)
        guard count == 0xFF_FFFF else { return count }
        // The tape counts to 2^24 − 1 and stops.
        return kind == .array
            ? elements.reduce(0) { n, _ in n + 1 } : members.reduce(0) { n, _ in n + 1 }
    }

    /// The member named `key`; nil if there is none or this is no object. Compares the names one
    /// after another as UTF-8 bytes, without allocating; `"\u0061"` in the text and `a` are the
    /// same name.
    public subscript(key: String) -> JSONValue? {
        guard storage.tag(index) == JSONTag.object else { return nil }
        let position = unsafe key.utf8.span.withUnsafeBufferPointer { name in
            unsafe self.position(ofMember: name)
        }
        return position.map { JSONValue(storage: storage, index: $0) }
    }

    /// The element at `position`, found by walking; nil beyond the end or if this is no array.
    public subscript(position: Int) -> JSONValue? {
        guard storage.tag(index) == JSONTag.array, position >= 0 else { return nil }
        let close = storage.next(after: index) - 1
        var element = index + 1
        var remaining = position
        while element < close {
            if remaining == 0 { return JSONValue(storage: storage, index: element) }
            remaining -= 1
            element = storage.next(after: element)
        }
        return nil
    }

    private var isContainer: Bool {
        let tag = storage.tag(index)
        return tag == JSONTag.object || tag == JSONTag.array
    }

    private func position(ofMember name: UnsafeBufferPointer<UInt8>) -> Int? {
        let close = storage.next(after: index) - 1
        var key = index + 1
        while key < close {
            if unsafe storage.string(key, equals: name) { return key + 1 }
            key = storage.next(after: key + 1)
        }
        return nil
    }
}
