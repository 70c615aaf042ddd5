/// What an event stream holds, found in the slowest and plainest way: byte by byte, by the words of
/// the standard (WHATWG HTML §9.2.6), with the gateway's bounds on a line and on an event.
struct EventStreamModel: Equatable {
    /// The data of the events, up to the end or to what is too large.
    var events: [[UInt8]] = []
    /// Whether a line or an event was too large.
    var isTooLarge = false

    /// Reads a whole stream.
    init(of bytes: [UInt8], most: Int) {
        var data: [UInt8] = []
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
                if hasData { events.append(data) }
                hasData = false
                data = []
            } else if let value = Self.value(of: line) {
                if hasData { data.append(10) }
                hasData = true
                data += value
                isTooLarge = data.count > most
                if isTooLarge { return }
            }
            line = []
        }
    }

    /// What a parser made of a stream.
    init(events: [[UInt8]], isTooLarge: Bool) {
        self.events = events
        self.isTooLarge = isTooLarge
    }

    /// The value of a line whose field is `data`; nil for any other.
    private static func value(of line: [UInt8]) -> [UInt8]? {
        let colon = line.firstIndex(of: 58) ?? line.count
        guard Array(line[..<colon]) == Array("data".utf8) else { return nil }
        let value = line.dropFirst(colon + 1)
        return Array(value.first == 32 ? value.dropFirst() : value)
    }
}
