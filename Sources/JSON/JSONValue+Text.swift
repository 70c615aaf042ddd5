extension JSONValue {
    /// The string, unescaped; nil if the value is no string.
    public var string: String? {
        guard storage.tag(index) == JSONTag.string else { return nil }
        return unsafe String(decoding: storage.utf8(index), as: UTF8.self)
    }

    /// The bytes of the unescaped string in UTF-8; 0 if the value is no string.
    public var utf8Count: Int {
        storage.tag(index) == JSONTag.string ? unsafe storage.utf8(index).count : 0
    }

    /// Whether the value is a string equal to `text`, byte by byte.
    public func isString(_ text: StaticString) -> Bool {
        guard storage.tag(index) == JSONTag.string else { return false }
        return text.withUTF8Buffer { bytes in unsafe storage.string(index, equals: bytes) }
    }

    /// Lends the bytes of the unescaped string, without a copy; nil if the value is no string.
    public func withUTF8<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result,
    ) throws(Failure) -> Result? {
        guard storage.tag(index) == JSONTag.string else { return nil }
        let bytes = unsafe storage.utf8(index)
        let result = unsafe try body(bytes.span)
        // The span points into the storage, which must not go before the body is done.
        return withExtendedLifetime(storage) { result }
    }

    /// Appends the bytes of the unescaped string to `bytes`; appends nothing if the value is no
    /// string.
    public func appendUTF8(to bytes: inout [UInt8]) {
        guard storage.tag(index) == JSONTag.string else { return }
        unsafe bytes.append(contentsOf: storage.utf8(index))
    }
}
