/// Reads CSV (RFC 4180) or tab-separated values as they come, one record at a time: holds nothing
/// but the record that has begun.
struct CSVScanner {
    /// A record: where it begins, and its bytes with the ends of its fields.
    struct CSVRecord {
        /// The line on which it begins, from 1.
        fileprivate(set) var line = 1
        fileprivate var bytes: [UInt8] = []
        fileprivate var ends: [Int] = []

        /// How many fields it has.
        var count: Int { ends.count }

        /// The text of a field; nil beyond the last one.
        subscript(index: Int) -> String? {
            guard ends.indices.contains(index) else { return nil }
            let start = index == 0 ? 0 : ends[index - 1]
            return String(decoding: bytes[start..<ends[index]], as: UTF8.self)
        }

        /// Every field.
        var texts: [String] { ends.indices.compactMap { self[$0] } }
    }

    private enum State {
        case plain, quoted, quoteInQuoted
    }

    /// Longer records are no export's.
    static let longestRecord = 65_536

    private var state = State.plain
    private var record = CSVRecord()
    private var line = 1
    private var separator: UInt8?
    private var endedWithReturn = false

    /// Takes the next bytes and hands over each record that they end. Throws for a record without
    /// an end.
    mutating func scan(
        _ bytes: some Sequence<UInt8>, _ body: (CSVRecord) throws -> Void
    ) throws {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                line += 1
                if endedWithReturn {
                    endedWithReturn = false
                    record.line = line
                    continue
                }
            }
            endedWithReturn = false
            switch (state, byte) {
            case (.quoted, UInt8(ascii: "\"")): state = .quoteInQuoted
            case (.quoteInQuoted, UInt8(ascii: "\"")):
                record.bytes.append(byte)
                state = .quoted
            case (.quoted, _): record.bytes.append(byte)
            case (_, UInt8(ascii: "\n")), (_, UInt8(ascii: "\r")):
                endedWithReturn = byte == UInt8(ascii: "\r")
                try end(body, next: endedWithReturn ? line + 1 : line)
            case (.plain, UInt8(ascii: "\"")) where isAtFieldStart: state = .quoted
            default: take(byte)
            }
            guard record.bytes.count <= Self.longestRecord else {
                throw AdminFailure.refused(
                    "Line \(record.line) does not end.", advice: "Is the file a CSV export?")
            }
        }
    }

    /// Hands over the last record of a file that does not end with a line's end.
    mutating func finish(_ body: (CSVRecord) throws -> Void) throws {
        guard !record.bytes.isEmpty || !record.ends.isEmpty else { return }
        try end(body, next: line)
    }

    private var isAtFieldStart: Bool { record.bytes.count == (record.ends.last ?? 0) }

    private mutating func take(_ byte: UInt8) {
        // The header decides: it is the first place where a tab or a comma stands.
        if separator == nil, byte == UInt8(ascii: "\t") || byte == UInt8(ascii: ",") {
            separator = byte
        }
        if byte == separator {
            record.ends.append(record.bytes.count)
            state = .plain
        } else {
            record.bytes.append(byte)
        }
    }

    private mutating func end(
        _ body: (CSVRecord) throws -> Void, next: Int
    ) throws {
        state = .plain
        let isEmpty = record.bytes.isEmpty && record.ends.isEmpty
        if !isEmpty {
            record.ends.append(record.bytes.count)
            try body(record)
        }
        record.bytes.removeAll(keepingCapacity: true)
        record.ends.removeAll(keepingCapacity: true)
        record.line = next
    }
}
