import Synchronization

/// The connections of a listener, for the end of its drain.
final class ConnectionSet: Sendable {
    private let connections = Mutex<[ObjectIdentifier: Connection]>([:])

    /// Adds a connection.
    func insert(_ connection: Connection) {
        connections.withLock { $0[ObjectIdentifier(connection)] = connection }
    }

    /// Removes a connection.
    func remove(_ connection: Connection) {
        connections.withLock { $0[ObjectIdentifier(connection)] = nil }
    }

    /// How many there are.
    var count: Int { connections.withLock { $0.count } }

    /// Stops waiting for the requests that still run: they are cancelled, settled and told so.
    func drain() {
        let remaining = connections.withLock { Array($0.values) }
        for connection in remaining { connection.leave(.drained) }
    }
}
