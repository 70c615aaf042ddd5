/// Reads Postgres' binary format and never past its end.
///
/// Every function returns nil when the bytes are not there or not what they should be; the caller
/// turns that into a decoding error.
@safe
struct BinaryReader {
    private var rest: UnsafeRawBufferPointer

    /// Reads from `bytes`, which must stay valid for as long as the reader is used.
    @unsafe
    init(_ bytes: UnsafeRawBufferPointer) { unsafe rest = bytes }

    var isAtEnd: Bool { unsafe rest.count == 0 }
    var remaining: Int { unsafe rest.count }

    /// Reads a number.
    mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _: Number.Type = Number.self
    ) -> Number? {
        let size = MemoryLayout<Number>.size
        guard unsafe rest.count >= size else { return nil }
        let number = unsafe rest.loadUnaligned(as: Number.self)
        unsafe rest = UnsafeRawBufferPointer(rebasing: rest[size...])
        return Number(bigEndian: number)
    }

    /// Splits off the next `count` bytes.
    mutating func split(_ count: Int) -> BinaryReader? {
        guard count >= 0, unsafe rest.count >= count else { return nil }
        let head = unsafe BinaryReader(UnsafeRawBufferPointer(rebasing: rest[..<count]))
        unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        return head
    }

    /// Reads everything left as a number of exactly that size.
    mutating func wholeNumber<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type = Number.self
    ) -> Number? {
        guard unsafe rest.count == MemoryLayout<Number>.size else { return nil }
        return number(type)
    }

    /// Reads everything left as bytes.
    mutating func wholeBytes() -> [UInt8]? { unsafe [UInt8](rest) }

    /// Reads everything left as UTF-8.
    mutating func wholeText() -> String? { unsafe String(validating: rest, as: UTF8.self) }

    /// Reads everything left as a truth value.
    mutating func wholeBool() -> Bool? {
        switch wholeNumber(UInt8.self) {
        case 0: false
        case 1: true
        default: nil
        }
    }

    /// Reads everything left as microseconds since 1970.
    mutating func wholeTimestamp() -> Int64? {
        wholeNumber(Int64.self).flatMap(PostgresEpoch.microseconds(wire:))
    }

    /// Reads everything left as days since 1970.
    mutating func wholeDay() -> Int32? {
        wholeNumber(Int32.self).flatMap(PostgresEpoch.days(wire:))
    }

    /// Reads everything left as an array with no more than one dimension; see `WireArray` for the
    /// layout.
    mutating func wholeArray<Element>(
        of types: Set<PostgresType>, _ read: (inout BinaryReader) -> Element?
    ) -> [Element?]? {
        guard let dimensions = number(Int32.self), let nullsFlag = number(Int32.self),
            let type = number(UInt32.self), types.contains(PostgresType(oid: type)),
            (0...1).contains(dimensions), (0...1).contains(nullsFlag)
        else { return nil }
        if dimensions == 0 { return isAtEnd ? [] : nil }
        guard let count = number(Int32.self), number(Int32.self) != nil,
            // Each element has at least its length: a lie about the count reserves no memory.
            count >= 0, Int(count) <= remaining / 4
        else { return nil }
        var elements: [Element?] = []
        elements.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let length = number(Int32.self) else { return nil }
            if length == -1 {
                elements.append(nil)
                continue
            }
            guard var part = split(Int(length)), let element = read(&part) else { return nil }
            elements.append(element)
        }
        return isAtEnd ? elements : nil
    }
}
