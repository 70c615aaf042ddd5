/// Collects the lines libcurl hands over into the final response head.
///
/// libcurl has already checked that the lines are HTTP. Informational heads (1xx) are skipped and
/// trailers ignored.
struct ResponseHeadParser {
    /// What a line led to.
    enum Step: Equatable {
        /// More lines are to come, or the line did not matter.
        case more
        /// The line ended the final head.
        case complete(ResponseHead)
        /// The transfer has to be given up.
        case refused(CurlFailure.Phase)
    }

    private var maximumBytes: Int
    private var receivedBytes = 0
    private var status = 0
    private var headers: [(name: String, value: String)] = []
    private var isComplete = false

    init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    /// Takes one line, its line break included.
    mutating func consume(_ line: UnsafeBufferPointer<UInt8>) -> Step {
        // Trailers count too, so that a body's end cannot grow without bound.
        receivedBytes += line.count
        guard receivedBytes <= maximumBytes else { return .refused(.tooLarge) }
        guard !isComplete else { return .more }
        var end = line.count
        while end > 0, unsafe line[end - 1] == Self.lineFeed || line[end - 1] == Self.carriageReturn
        { end -= 1 }
        if end == 0 { return finishHead() }
        if unsafe Self.isStatusLine(line) { return unsafe beginHead(line, end: end) }
        return unsafe appendField(line, end: end)
    }

    private mutating func finishHead() -> Step {
        switch status {
        // Nobody asked for another protocol, so what follows cannot be understood.
        case 101: return .refused(.protocolError)
        case 100..<200:
            status = 0
            headers.removeAll(keepingCapacity: true)
            return .more
        case 200...999:
            isComplete = true
            defer { headers = [] }
            return .complete(ResponseHead(status: status, headers: headers))
        default: return .refused(.protocolError)
        }
    }

    private mutating func beginHead(_ line: UnsafeBufferPointer<UInt8>, end: Int) -> Step {
        headers.removeAll(keepingCapacity: true)
        guard let blank = unsafe line[..<end].firstIndex(of: Self.space), blank + 3 < end else {
            return .refused(.protocolError)
        }
        status = 0
        for index in blank + 1...blank + 3 {
            let digit = unsafe line[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return .refused(.protocolError) }
            status = status * 10 + Int(digit)
        }
        return .more
    }

    private mutating func appendField(_ line: UnsafeBufferPointer<UInt8>, end: Int) -> Step {
        // An obsolete line folding (RFC 9112 §5.2) continues the value before it.
        if unsafe Self.isBlank(line[0]), let last = headers.indices.last {
            headers[last].value += unsafe " " + Self.text(line, from: 0, to: end)
            return .more
        }
        guard let colon = unsafe line[..<end].firstIndex(of: Self.colon) else {
            return .refused(.protocolError)
        }
        let name = unsafe String(unsafeUninitializedCapacity: colon) { bytes in
            for index in 0..<colon {
                let byte = unsafe line[index]
                let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
                unsafe bytes[index] = isUpper ? byte | 0x20 : byte
            }
            return colon
        }
        headers.append((name: name, value: unsafe Self.text(line, from: colon + 1, to: end)))
        return .more
    }

    /// The bytes from `from` up to `to` without surrounding blanks; invalid UTF-8 is replaced.
    private static func text(
        _ line: UnsafeBufferPointer<UInt8>, from: Int, to: Int
    ) -> String {
        var lower = from
        var upper = to
        while unsafe lower < upper && isBlank(line[lower]) { lower += 1 }
        while unsafe lower < upper && isBlank(line[upper - 1]) { upper -= 1 }
        return unsafe String(
            decoding: UnsafeBufferPointer(rebasing: line[lower..<upper]), as: UTF8.self)
    }

    private static func isStatusLine(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        unsafe line.count >= 5 && line[0] == UInt8(ascii: "H") && line[1] == UInt8(ascii: "T")
            && line[2] == UInt8(ascii: "T") && line[3] == UInt8(ascii: "P")
            && line[4] == UInt8(ascii: "/")
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == 0x09 }

    private static let space = UInt8(ascii: " ")
    private static let colon = UInt8(ascii: ":")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
}
