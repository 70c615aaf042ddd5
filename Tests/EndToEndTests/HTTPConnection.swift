import Foundation

/// A client's connection that sends exactly the bytes it is given. Blocking; every wait is bounded.
final class HTTPConnection {
    /// The connection ended, or said something that is not HTTP.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isOpen = true
    /// What the current body still brings; nil for a chunked one.
    private var remaining: Int?

    /// Connects to a port of this machine.
    init(port: Int, patience: Int = 20) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let socket = descriptor
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            Glibc.close(socket)
            throw Failure(description: "no connection to port \(port): \(errno)")
        }
        var time = timeval(tv_sec: patience, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, size)
        var on: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    }

    deinit { close() }

    /// Leaves.
    func close() {
        if isOpen { Glibc.close(descriptor) }
        isOpen = false
    }

    // MARK: Sending

    /// Sends bytes. Returns how many were taken before the other side closed.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Int {
        var sent = 0
        while sent < bytes.count {
            let piece = Array(bytes[sent..<min(bytes.count, sent + 65_536)])
            let count = Glibc.send(descriptor, piece, piece.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return sent }
            sent += count
        }
        return sent
    }

    /// Sends text.
    func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends a request with a body.
    func send(
        _ method: String = "POST", _ path: String = "/v1/chat/completions", key: String?,
        body: String, headers: [String] = ["Content-Type: application/json"]
    ) {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: turnpike"] + headers
        if let key { lines.append("Authorization: Bearer \(key)") }
        if !body.isEmpty { lines.append("Content-Length: \(body.utf8.count)") }
        send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    /// Says that nothing more comes.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    // MARK: Receiving

    /// Whether nothing at all can be read for so long.
    func isSilent(for milliseconds: Int32) -> Bool {
        guard buffer.isEmpty else { return false }
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, milliseconds) == 0
    }

    /// Whether the other side has closed, once everything it sent was read.
    func isClosedByServer() -> Bool {
        guard buffer.isEmpty else { return false }
        return !fill()
    }

    /// Reads a whole answer.
    func reply() throws -> HTTPReply {
        var reply = try head()
        while let piece = try piece() { reply.body += piece }
        return reply
    }

    /// Reads the head of an answer.
    func head() throws -> HTTPReply {
        let separator = Array("\r\n\r\n".utf8)
        while buffer.firstRange(of: separator) == nil {
            guard fill() else { throw Failure(description: "no head: \(errno) \(rest)") }
        }
        guard let end = buffer.firstRange(of: separator) else { throw Failure(description: rest) }
        let lines = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
            .components(separatedBy: "\r\n")
        buffer.removeFirst(end.upperBound)
        let words = lines[0].split(separator: " ")
        guard words.count > 1, let status = Int(words[1]) else {
            throw Failure(description: "no status: \(lines[0])")
        }
        let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                line[..<colon].lowercased(),
                line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            )
        }
        let reply = HTTPReply(status: status, headers: headers)
        let isChunked = reply.header("transfer-encoding") == "chunked"
        remaining = isChunked ? nil : reply.header("content-length").flatMap { Int($0) } ?? 0
        return reply
    }

    /// Reads the next piece of a body; nil at its end. Throws when it breaks off.
    func piece() throws -> [UInt8]? {
        if let remaining { return try sized(remaining) }
        let line = try text(until: "\r\n")
        guard let size = Int(line, radix: 16) else { throw Failure(description: "chunk \(line)") }
        let piece = try take(size)
        _ = try take(2)
        return size == 0 ? nil : piece
    }

    private func sized(_ count: Int) throws -> [UInt8]? {
        if count == 0 { return nil }
        remaining = 0
        return try take(count)
    }

    private func text(until end: String) throws -> String {
        let separator = Array(end.utf8)
        while buffer.firstRange(of: separator) == nil {
            guard fill() else { throw Failure(description: "broken off: \(errno) \(rest)") }
        }
        guard let range = buffer.firstRange(of: separator) else { throw Failure(description: rest) }
        let text = String(decoding: buffer[..<range.lowerBound], as: UTF8.self)
        buffer.removeFirst(range.upperBound)
        return text
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while buffer.count < count {
            guard fill() else { throw Failure(description: "broken off: \(errno) \(rest)") }
        }
        let bytes = Array(buffer[..<count])
        buffer.removeFirst(count)
        return bytes
    }

    private var rest: String { String(decoding: buffer.prefix(500), as: UTF8.self) }

    private func fill() -> Bool {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &piece, piece.count, 0)
        guard count > 0 else { return false }
        buffer += piece[..<count]
        return true
    }
}
