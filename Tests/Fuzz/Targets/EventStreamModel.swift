/// What an event stream holds, found in the slowest and plainest way: byte by byte, by the words of
/// the standard (WHATWG HTML §9.2.6), with the gateway's bounds on a line and on an event.
struct EventStreamModel: Equatable {
    /// The data of the events one after the other, up to the end or to what is too large.
    private var data: [UInt8] = []
    /// Where in it each event ends.
    private var ends: [Int] = []
    /// Whether a line or an event was too large.
    var isTooLarge = false

    /// Reads a whole stream.
    init(of bytes: [UInt8], most: Int) {
        var event: [UInt8] = []
        var hasData = false
        var line: [UInt8] = []
        var isFirst = true
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte == 10 || byte == 13 else {
                line.append(byte)
                isTooLarge = line.count > most
                if isTooLarge { return }
                continue
            }
            if byte == 13, position < bytes.count, bytes[position] == 10 { position += 1 }
            if isFirst, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
            isFirst = false
            if line.isEmpty {
                if hasData { append(event[...]) }
                hasData = false
                event = []
            } else if let value = Self.value(of: line) {
                if hasData { event.append(10) }
                hasData = true
                event += value
                isTooLarge = event.count > most
                if isTooLarge { return }
            }
            line = []
        }
    }

    /// Takes the events of a stream of `bytes` bytes, with room for all of them, so that keeping them
    /// is not counted as the parser's.
    init(room bytes: Int) {
        data.reserveCapacity(bytes)
        // The shortest event is "data", and two ends of a line.
        ends.reserveCapacity(bytes / 6 + 1)
    }

    /// Takes the next event.
    mutating func append(_ event: ArraySlice<UInt8>) {
        data += event
        ends.append(data.count)
    }

    /// The data of each event.
    var events: [ArraySlice<UInt8>] {
        var start = 0
        return ends.map { end in
            defer { start = end }
            return data[start..<end]
        }
    }

    /// The value of a line whose field is `data`; nil for any other.
    private static func value(of line: [UInt8]) -> [UInt8]? {
        let colon = line.firstIndex(of: 58) ?? line.count
        guard Array(line[..<colon]) == Array("data".utf8) else { return nil }
        let value = line.dropFirst(colon + 1)
        return Array(value.first == 32 ? value.dropFirst() : value)
    }
}
