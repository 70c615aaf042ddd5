/// Splits the bytes of an event stream (WHATWG HTML §9.2.6) into the data of its events, as they
/// arrive.
///
/// Only `data` counts: chat APIs say everything in it, so names, ids, retry times and comments are
/// read over. Lines end with LF, CR or CRLF; bytes may be split anywhere; a byte order mark at the
/// start is skipped. What follows the last blank line is no event, as the standard says. One event,
/// and one line, is bounded.
struct EventStreamParser {
    /// The most bytes of one event's data, and of one line.
    static let maximumEventBytes = 1 << 20

    /// The start of a line whose end has not arrived.
    private var partialLine: [UInt8] = []
    /// Data of the current event that does not lie whole in the piece being read.
    private var storedData: [UInt8] = []
    /// Whether the current event has data, be it empty.
    private var hasData = false
    /// Where the current event's only data line lies in the piece being read, which saves copying
    /// it.
    private var dataInPiece: Range<Int>?
    /// The last piece ended with CR: a LF at the start of the next belongs to it.
    private var skipsLineFeed = false
    private var isFirstLine = true

    /// Reads the next piece of the stream and calls `event` with the data of every event that ends
    /// in it. Throws `malformed` when an event or line is too large, and whatever `event` throws;
    /// the parser is then not to be used further.
    mutating func consume(
        _ piece: [UInt8], event: (ArraySlice<UInt8>) throws(BackendFailure) -> Void
    ) throws(BackendFailure) {
        var start = 0
        if skipsLineFeed, let first = piece.first {
            skipsLineFeed = false
            if first == Self.lineFeed { start = 1 }
        }
        while let end = Self.lineEnd(in: piece, from: start) {
            if partialLine.isEmpty {
                try lineEnded(start..<end, of: piece, isStored: false, event)
            } else {
                try lineContinued(start..<end, of: piece)
                let line = partialLine
                partialLine.removeAll(keepingCapacity: true)
                try lineEnded(0..<line.count, of: line, isStored: true, event)
            }
            start = end + 1
            guard piece[end] == Self.carriageReturn else { continue }
            if start == piece.count {
                skipsLineFeed = true
            } else if piece[start] == Self.lineFeed {
                start += 1
            }
        }
        if start < piece.count { try lineContinued(start..<piece.count, of: piece) }
        if let range = dataInPiece { store(piece[range]) }
    }

    // MARK: Lines

    /// The place of the first CR or LF from `start`. Bytes below 14 are rare, so that one
    /// comparison per byte is the rule.
    private static func lineEnd(in piece: [UInt8], from start: Int) -> Int? {
        let bytes = piece.span
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if byte <= carriageReturn, byte == lineFeed || byte == carriageReturn { return index }
            index += 1
        }
        return nil
    }

    private mutating func lineContinued(
        _ range: Range<Int>, of piece: [UInt8]
    ) throws(BackendFailure) {
        guard partialLine.count + range.count <= Self.maximumEventBytes else { throw Self.tooLarge }
        partialLine += piece[range]
    }

    /// Handles a whole line, which lies in `bytes`: the piece being read, or a stored line.
    private mutating func lineEnded(
        _ line: Range<Int>, of bytes: [UInt8], isStored: Bool,
        _ event: (ArraySlice<UInt8>) throws(BackendFailure) -> Void
    ) throws(BackendFailure) {
        var line = line
        if isFirstLine {
            isFirstLine = false
            if bytes[line].starts(with: [0xEF, 0xBB, 0xBF]) {
                line = line.lowerBound + 3..<line.upperBound
            }
        }
        guard !line.isEmpty else { return try eventEnded(in: bytes, isStored: isStored, event) }
        guard let value = Self.dataValue(of: line, in: bytes) else { return }
        if hasData {
            if let earlier = dataInPiece {
                // Only reached within one piece, since its end stores what is left; and a stored
                // line comes before every other line of a piece.
                store(bytes[earlier])
            }
            storedData.append(Self.lineFeed)
            try append(bytes[value])
        } else if isStored {
            try append(bytes[value])
        } else {
            guard value.count <= Self.maximumEventBytes else { throw Self.tooLarge }
            dataInPiece = value
        }
        hasData = true
    }

    private mutating func eventEnded(
        in bytes: [UInt8], isStored: Bool,
        _ event: (ArraySlice<UInt8>) throws(BackendFailure) -> Void
    ) throws(BackendFailure) {
        guard hasData else { return }
        hasData = false
        if let range = dataInPiece {
            dataInPiece = nil
            try event(bytes[range])
        } else {
            let data = storedData
            storedData.removeAll(keepingCapacity: data.capacity <= 64 * 1024)
            try event(data[...])
        }
    }

    /// The value of a `data` line without the one blank that may stand before it; nil for any other
    /// line.
    private static func dataValue(of line: Range<Int>, in bytes: [UInt8]) -> Range<Int>? {
        guard bytes[line].starts(with: dataName) else { return nil }
        var start = line.lowerBound + dataName.count
        guard start < line.upperBound else { return start..<start }
        guard bytes[start] == UInt8(ascii: ":") else { return nil }
        start += 1
        if start < line.upperBound, bytes[start] == UInt8(ascii: " ") { start += 1 }
        return start..<line.upperBound
    }

    // MARK: Data that outlives its piece

    private mutating func store(_ data: ArraySlice<UInt8>) {
        dataInPiece = nil
        storedData += data
    }

    private mutating func append(_ data: ArraySlice<UInt8>) throws(BackendFailure) {
        guard storedData.count + data.count <= Self.maximumEventBytes else { throw Self.tooLarge }
        storedData += data
    }

    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let dataName = Array("data".utf8)
    private static let tooLarge = BackendFailure(
        kind: .malformed, detail: "an event of the stream is larger than \(maximumEventBytes) bytes"
    )
}
