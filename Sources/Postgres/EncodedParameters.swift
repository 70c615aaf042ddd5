/// The parameters of one command in one buffer, as libpq wants them.
struct EncodedParameters {
    /// The announced types, by position.
    let types: [PostgresType]
    private let bytes: [UInt8]
    /// Where each parameter lies in `bytes`; nil for a null.
    private let ranges: [Range<Int>?]

    /// The most parameters the protocol can count.
    static let mostParameters = 65_535

    var count: CInt { CInt(ranges.count) }
    /// The size of all parameters in bytes.
    var byteCount: Int { bytes.count }

    init(_ values: [PostgresValue]) {
        types = values.map(\.type)
        let encodings = values.map(\.encoding)
        var total = 0
        ranges = encodings.map { encoding in
            guard let encoding else { return nil }
            let start = total
            total += encoding.encodedSize
            return start..<total
        }
        let size = total
        bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            var writer = unsafe BinaryWriter(UnsafeMutableRawBufferPointer(buffer))
            for encoding in encodings { encoding?.write(to: &writer) }
            precondition(writer.count == size, "a parameter is smaller than its announced size")
            count = size
        }
    }

    /// Calls `body` with the arrays of values, lengths and formats, valid only during the call.
    func withPointers<Result>(
        _ body: (
            UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<CInt>, UnsafePointer<CInt>
        ) -> Result
    ) -> Result {
        let lengths = ranges.map { CInt($0?.count ?? 0) }
        let formats = [CInt](repeating: 1, count: ranges.count)
        return unsafe bytes.withUnsafeBytes { bytes in
            // A value of no bytes still needs a pointer: libpq takes its absence for a null.
            let base = unsafe bytes.baseAddress ?? Self.somewhere
            let values = unsafe ranges.map { range in
                unsafe range.map {
                    unsafe (base + $0.lowerBound).assumingMemoryBound(to: CChar.self)
                }
            }
            return unsafe body(values, lengths, formats)
        }
    }

    /// A pointer that is not null and never read.
    private static var somewhere: UnsafeRawPointer {
        unsafe UnsafeRawPointer(bitPattern: 16).unsafelyUnwrapped
    }
}
