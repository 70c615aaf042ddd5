import Foundation

/// One connection of a scripted upstream.
struct ScriptedConnection {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isChunked = false

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Reads a request; nil once the client has left.
    mutating func readRequest(_ number: Int) -> ScriptedUpstream.Request? {
        let separator = Array("\r\n\r\n".utf8)
        var end = buffer.firstRange(of: separator)
        while end == nil {
            guard fill() else { return nil }
            end = buffer.firstRange(of: separator)
        }
        guard let end else { return nil }
        let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ")
        let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                line[..<colon].lowercased(),
                line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            )
        }
        let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        while buffer.count < end.upperBound + length {
            guard fill() else { return nil }
        }
        let body = Array(buffer[end.upperBound..<end.upperBound + length])
        buffer.removeFirst(end.upperBound + length)
        return ScriptedUpstream.Request(
            method: String(words[0]), path: words.count > 1 ? String(words[1]) : "",
            headers: headers, body: body, connection: number)
    }

    /// Does the steps. False if the connection is over.
    mutating func perform(_ steps: [ScriptedUpstream.Step]) -> Bool {
        for step in steps {
            switch step {
            case .head(let status, let headers):
                guard sendHead(status, headers) else { return false }
            case .body(let bytes):
                let size = Array("\(String(bytes.count, radix: 16))\r\n".utf8)
                let framed = isChunked ? size + bytes + Array("\r\n".utf8) : bytes
                guard bytes.isEmpty || send(framed) else { return false }
            case .end: guard send(Array("0\r\n\r\n".utf8)) else { return false }
            case .raw(let bytes): guard send(bytes) else { return false }
            case .wait(let gate): guard gate.wait(watching: descriptor) else { return false }
            case .silence: return Self.poll(descriptor, gate: -1)
            case .drop: return false
            case .reset:
                var linger = linger(l_onoff: 1, l_linger: 0)
                setsockopt(
                    descriptor, SOL_SOCKET, SO_LINGER, &linger,
                    socklen_t(MemoryLayout<linger>.size))
                return false
            }
        }
        return true
    }

    private mutating func sendHead(_ status: Int, _ headers: [(String, String)]) -> Bool {
        isChunked = !headers.contains { $0.0.lowercased() == "content-length" }
        var text = "HTTP/1.1 \(status) Scripted\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if isChunked { text += "transfer-encoding: chunked\r\n" }
        return send(Array((text + "\r\n").utf8))
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let rest = Array(bytes[sent...])
            let count = Glibc.send(descriptor, rest, rest.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private mutating func fill() -> Bool {
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        let count = recv(descriptor, &piece, piece.count, 0)
        guard count > 0 else { return false }
        buffer += piece[..<count]
        return true
    }

    /// Waits until the gate is open (true) or the client has closed its side (false).
    static func poll(_ connection: Int32, gate: Int32) -> Bool {
        // Only the end is asked for: a client may send its next request while it waits.
        let hangUp = Int16(0x2000)  // POLLRDHUP, which Glibc hides from Swift.
        var polled = [
            pollfd(fd: connection, events: hangUp, revents: 0),
            pollfd(fd: gate, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            _ = Glibc.poll(&polled, nfds_t(polled.count), -1)
            if polled[0].revents != 0 { return false }
            if polled[1].revents != 0 { return true }
        }
    }
}

extension ScriptedUpstream.Gate {
    /// Waits for the gate on a connection's thread. False if the client left first.
    fileprivate func wait(watching connection: Int32) -> Bool {
        ScriptedConnection.poll(connection, gate: descriptor)
    }
}
