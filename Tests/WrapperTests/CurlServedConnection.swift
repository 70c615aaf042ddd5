import Glibc

/// A connection on the server's side. Used on its one thread.
final class ServedConnection {
    /// What a client asked for.
    struct Request {
        var line: String
        var fields: [String]
        var body: [UInt8]
    }

    /// Which connection of its server this is, from 1.
    let number: Int
    private var descriptor: CInt
    private var unread: [UInt8] = []

    init(_ descriptor: CInt, number: Int) {
        self.descriptor = descriptor
        self.number = number
    }

    /// Reads one request; nil if the client has closed.
    func readRequest() -> Request? {
        var end = headEnd()
        while end == nil {
            guard receive() else { return nil }
            end = headEnd()
        }
        guard let end else { return nil }
        let lines = String(decoding: unread[..<(end - 4)], as: UTF8.self).split(separator: "\r\n")
            .map(String.init)
        var length = 0
        for line in lines where line.lowercased().hasPrefix("content-length:") {
            length = Int(line.dropFirst(15).filter { $0 != " " }) ?? 0
        }
        while unread.count < end + length {
            guard receive() else { return nil }
        }
        let body = Array(unread[end..<(end + length)])
        unread.removeFirst(end + length)
        return Request(line: lines[0], fields: Array(lines.dropFirst()), body: body)
    }

    /// Sends text as it stands. Returns whether all of it could be sent.
    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Sends bytes, waiting as long as the client does not read.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Sends what the socket takes without waiting. Returns how much that was.
    func sendWithoutWaiting(_ bytes: [UInt8]) -> Int {
        Glibc.send(
            descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
    }

    /// Waits until the socket takes more, for so many milliseconds at most.
    func waitUntilWritable(milliseconds: CInt) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&watched, 1, milliseconds) > 0
    }

    /// Answers with a body of known length.
    func respond(_ body: [UInt8], status: String = "200 OK", fields: String = "") {
        send("HTTP/1.1 \(status)\r\nContent-Length: \(body.count)\r\n\(fields)\r\n")
        send(body)
    }

    /// Begins a chunked answer.
    func beginChunks() {
        send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    }

    /// Sends one chunk.
    @discardableResult
    func sendChunk(_ text: String) -> Bool {
        send("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
    }

    /// Waits until the client has closed or reset the connection; false if it did not in time.
    func waitForClose(milliseconds: CInt = 10_000) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&watched, 1, milliseconds) > 0 {
            var byte: UInt8 = 0
            if recv(descriptor, &byte, 1, 0) <= 0 { return true }
        }
        return false
    }

    /// Closes with a reset instead of an orderly end.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }

    /// Closes the connection.
    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    private func headEnd() -> Int? {
        guard unread.count >= 4 else { return nil }
        for index in 0...(unread.count - 4)
        where unread[index..<(index + 4)].elementsEqual([13, 10, 13, 10]) {
            return index + 4
        }
        return nil
    }

    /// Whether something was received, or is there already.
    private func receive() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        unread += bytes[..<count]
        return true
    }
}

/// Serves requests on a connection until the client closes it.
@Sendable func echo(_ connection: ServedConnection) {
    while let request = connection.readRequest() { connection.respond(request.body) }
}
