/// Fills a buffer of known size in Postgres' binary format: most significant byte first.
///
/// Writing past the end is our own mistake in a size, and traps.
@safe
struct BinaryWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    /// The number of bytes written so far.
    private(set) var count = 0

    /// Writes into `buffer`, which must stay valid for as long as the writer is used.
    @unsafe
    init(_ buffer: UnsafeMutableRawBufferPointer) { unsafe self.buffer = buffer }

    /// Appends a number.
    mutating func write<Number: FixedWidthInteger & BitwiseCopyable>(number: Number) {
        let size = MemoryLayout<Number>.size
        let room = unsafe buffer.count - count
        precondition(room >= size, "a parameter is larger than its announced size")
        unsafe buffer.storeBytes(of: number.bigEndian, toByteOffset: count, as: Number.self)
        count += size
    }

    /// Appends bytes as they are.
    mutating func write(bytes: UnsafeRawBufferPointer) {
        let room = unsafe buffer.count - count
        precondition(room >= bytes.count, "a parameter is larger than its announced size")
        if bytes.count == 0 { return }
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
        unsafe rest.copyMemory(from: bytes)
        count += bytes.count
    }
}

/// A value with a form in Postgres' binary format.
///
/// The size is known before writing, so that all parameters of a command share one buffer, made
/// once.
protocol BinaryEncodable {
    /// The number of bytes `write` appends.
    var encodedSize: Int { get }
    /// Appends the binary form.
    func write(to writer: inout BinaryWriter)
}

extension Bool: BinaryEncodable {
    var encodedSize: Int { 1 }
    func write(to writer: inout BinaryWriter) { writer.write(number: self ? 1 : 0 as UInt8) }
}

extension BinaryEncodable where Self: FixedWidthInteger & BitwiseCopyable {
    var encodedSize: Int { MemoryLayout<Self>.size }
    func write(to writer: inout BinaryWriter) { writer.write(number: self) }
}

extension Int16: BinaryEncodable {}
extension Int32: BinaryEncodable {}
extension Int64: BinaryEncodable {}
extension UInt128: BinaryEncodable {}

extension Double: BinaryEncodable {
    var encodedSize: Int { 8 }
    func write(to writer: inout BinaryWriter) { writer.write(number: bitPattern) }
}

extension String: BinaryEncodable {
    var encodedSize: Int { utf8.count }

    func write(to writer: inout BinaryWriter) {
        // Every Swift string of this platform is contiguous UTF-8 except bridged ones, which cannot
        // occur here; a copy makes the rare other case right too.
        var contiguous = self
        contiguous.withUTF8 { unsafe writer.write(bytes: UnsafeRawBufferPointer($0)) }
    }
}

/// Raw bytes; a type of its own because an array of numbers is something else on the wire.
struct ByteString: BinaryEncodable {
    let bytes: [UInt8]
    var encodedSize: Int { bytes.count }
    func write(to writer: inout BinaryWriter) {
        unsafe bytes.withUnsafeBytes { unsafe writer.write(bytes: $0) }
    }
}

/// Microseconds since 1970, translated to Postgres' epoch while writing.
struct WireTimestamp: BinaryEncodable {
    let microseconds: Int64
    var encodedSize: Int { 8 }
    func write(to writer: inout BinaryWriter) {
        writer.write(number: PostgresEpoch.wire(microseconds: microseconds))
    }
}

/// Days since 1970, translated to Postgres' epoch while writing.
struct WireDate: BinaryEncodable {
    let days: Int32
    var encodedSize: Int { 4 }
    func write(to writer: inout BinaryWriter) {
        writer.write(number: PostgresEpoch.wire(days: days))
    }
}
