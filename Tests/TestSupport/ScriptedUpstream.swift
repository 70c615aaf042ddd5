import Foundation
import Synchronization

/// An HTTP/1.1 upstream on loopback that does to each request exactly what its script says, also
/// what no honest upstream would. It records what it received and when its clients left.
///
/// Blocking sockets and one thread per connection: nothing is shared with the client under test.
public final class ScriptedUpstream: Sendable {
    /// A request as it was received.
    public struct Request: Sendable {
        /// The method, as it was written.
        public let method: String
        /// The path with its query.
        public let path: String
        /// Names in lower case.
        public let headers: [(name: String, value: String)]
        /// The body, by its `content-length`.
        public let body: [UInt8]
        /// The connection it came over, counted from 0.
        public let connection: Int

        /// The value of the first field of this name, in lower case.
        public func header(_ name: String) -> String? {
            headers.first { $0.name == name }?.value
        }

        /// The body as text.
        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// One step of an answer.
    public enum Step: Sendable {
        /// Status line and headers. The body is chunked unless a `content-length` is among them.
        case head(Int, [(String, String)])
        /// A piece of the body, written at once: a chunk of its own where the body is chunked.
        case body([UInt8])
        /// The end of a chunked body.
        case end
        /// Bytes as they are.
        case raw([UInt8])
        /// Nothing until the gate is opened; the script ends if the client leaves first.
        case wait(Gate)
        /// Nothing until the client leaves.
        case silence
        /// Close the connection.
        case drop
        /// Close it with a reset.
        case reset
    }

    /// Holds scripts back until it is opened. Stays open.
    public final class Gate: Sendable {
        private let isOpen = Mutex(false)
        private let pipe: (reading: Int32, writing: Int32)

        /// A closed gate.
        public init() {
            var ends: [Int32] = [-1, -1]
            precondition(Glibc.pipe(&ends) == 0, "a pipe for a gate")
            pipe = (ends[0], ends[1])
        }

        /// Lets everybody through, now and later.
        public func open() {
            isOpen.withLock { isOpen in
                if !isOpen { _ = write(pipe.writing, "x", 1) }
                isOpen = true
            }
        }

        var descriptor: Int32 { pipe.reading }

        deinit {
            close(pipe.reading)
            close(pipe.writing)
        }
    }

    private struct State {
        var requests: [Request] = []
        var departures: [Int: ContinuousClock.Instant] = [:]
        var connections = 0
        var open: Set<Int32> = []
        var isStopped = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// The port it listens on.
    public let port: UInt16
    private let listener: Int32
    private let script: @Sendable (Request) -> [Step]
    private let state = Mutex(State())

    /// Starts to listen on a free port of 127.0.0.1. `script` is asked for every request.
    public init(script: @escaping @Sendable (Request) -> [Step]) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 128) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard result else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        port = UInt16(bigEndian: address.sin_port)
        self.script = script
        let thread = Thread { [self] in accept() }
        thread.name = "upstream"
        thread.start()
    }

    /// Where it is, with the path that OpenAI's API has.
    public var baseURL: String { "http://127.0.0.1:\(port)/v1" }

    /// What was received so far.
    public var requests: [Request] { state.withLock { $0.requests } }

    /// How many connections were accepted so far.
    public var connectionCount: Int { state.withLock { $0.connections } }

    /// Waits for the request of this number, counted from 0.
    public func request(_ number: Int) async -> Request {
        await wait { $0.requests.count > number ? $0.requests[number] : nil }
    }

    /// Waits until the client left this connection, and says when it was seen to.
    public func departure(from connection: Int) async -> ContinuousClock.Instant {
        await wait { $0.departures[connection] }
    }

    /// Closes every connection and stops listening.
    public func stop() {
        let wasStopped = state.withLock { state in
            defer { state.isStopped = true }
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
            return state.isStopped
        }
        // Once only: its number may be another's by the second time.
        if !wasStopped { shutdown(listener, Int32(SHUT_RDWR)) }
    }

    // MARK: Waiting

    private func wait<Value: Sendable>(for value: (State) -> Value?) async -> Value {
        while true {
            if let value = state.withLock({ value($0) }) { return value }
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    let isThere = value(state) != nil
                    if !isThere { state.waiters.append(continuation) }
                    return isThere
                }
                if isThere { continuation.resume() }
            }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: Serving

    private func accept() {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else { break }
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
            let number = state.withLock { state -> Int? in
                guard !state.isStopped else { return nil }
                state.open.insert(descriptor)
                defer { state.connections += 1 }
                return state.connections
            }
            guard let number else {
                close(descriptor)
                break
            }
            let thread = Thread { [self] in serve(descriptor, number) }
            thread.start()
        }
        close(listener)
    }

    private func serve(_ descriptor: Int32, _ number: Int) {
        var connection = ScriptedConnection(descriptor)
        while let request = connection.readRequest(number) {
            change { $0.requests.append(request) }
            guard connection.perform(script(request)) else { break }
        }
        change { state in
            state.departures[number] = .now
            state.open.remove(descriptor)
            close(descriptor)
        }
    }
}
