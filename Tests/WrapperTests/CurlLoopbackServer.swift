import Glibc
import Synchronization

/// A value that a server thread gives and a test waits for.
final class Arrival<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [CheckedContinuation<Value, Never>] = []
    }

    private let state = Mutex(State())

    /// Gives the value; only the first one counts.
    func fulfil(_ value: Value) {
        let waiters = state.withLock { state -> [CheckedContinuation<Value, Never>] in
            guard state.value == nil else { return [] }
            state.value = value
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: value) }
    }

    /// Waits for the value.
    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let value = state.withLock { state -> Value? in
                    if state.value == nil { state.waiters.append(continuation) }
                    return state.value
                }
                if let value { continuation.resume(returning: value) }
            }
        }
    }
}

/// A door a test opens and a server thread waits at.
final class Gate: Sendable {
    private let pipe: (reading: CInt, writing: CInt)

    init() {
        var ends: [CInt] = [-1, -1]
        precondition(Glibc.pipe(&ends) == 0, "a pipe is needed")
        pipe = (ends[0], ends[1])
    }

    deinit {
        close(pipe.reading)
        close(pipe.writing)
    }

    /// Lets one waiting thread pass, now or when it comes.
    func open() {
        var byte: UInt8 = 1
        _ = write(pipe.writing, &byte, 1)
    }

    /// Waits on the calling thread, which must not be one of Swift's.
    func pass() {
        var byte: UInt8 = 0
        _ = read(pipe.reading, &byte, 1)
    }
}

/// A server on the loopback interface or a Unix socket, with one thread per connection, that does
/// to its clients exactly what a test says.
final class LoopbackServer: Sendable {
    /// Serves one connection, which is closed when it returns.
    typealias Handler = @Sendable (ServedConnection) -> Void

    let url: String
    let unixSocketPath: String?
    private let listener: CInt
    private let counter = Atomic(0)

    /// How many connections have been accepted.
    var acceptedConnections: Int { counter.load(ordering: .sequentiallyConsistent) }

    /// Listens on a free port and serves until it is dropped.
    convenience init(handler: @escaping Handler) {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        precondition(isBound, "no loopback port")
        let port = UInt16(bigEndian: address.sin_port)
        self.init(listener, url: "http://127.0.0.1:\(port)", path: nil, handler)
    }

    /// Listens on a Unix socket.
    convenience init(unixSocketPath path: String, handler: @escaping Handler) {
        let listener = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        precondition(isBound, "no Unix socket")
        self.init(listener, url: "http://localhost", path: path, handler)
    }

    private init(_ listener: CInt, url: String, path: String?, _ handler: @escaping Handler) {
        precondition(listen(listener, 1024) == 0, "cannot listen")
        self.listener = listener
        self.url = url
        unixSocketPath = path
        startThread { [weak self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { break }
                let number = self?.counter.add(1, ordering: .sequentiallyConsistent).newValue ?? 0
                startThread {
                    let connection = ServedConnection(descriptor, number: number)
                    handler(connection)
                    connection.close()
                }
            }
            close(listener)
        }
    }

    deinit { shutdown(listener, CInt(SHUT_RDWR)) }
}

/// Starts a thread that runs `body` and is left to itself.
func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    precondition(code == 0, "no thread")
    pthread_detach(thread)
}
