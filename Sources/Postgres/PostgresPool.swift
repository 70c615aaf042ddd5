public import Logging

/// The limits of a pool.
public struct PostgresPoolOptions: Sendable {
    /// Connections, each with a thread of its own.
    public var connections = 4
    /// Pieces of work that may wait for a connection; more are refused at once.
    public var mostWaiting = 128
    /// The longest a piece of work waits for a connection.
    public var longestWait: Duration = .seconds(5)

    /// Makes options with the values written above.
    public init() {}
}

/// A few connections to Postgres for tasks to share: administration and reports, not the request
/// path.
///
/// Work runs on the pool's own threads, so it may block. Connections open when they are first
/// needed and again after they were lost. Work waits in one bounded queue.
public final class PostgresPool: Sendable {
    let monitor: PoolMonitor

    /// Starts the threads; opens nothing yet.
    ///
    /// Throws when the URL cannot be parsed or the system gives no threads.
    public init(
        url: String, connectionOptions: PostgresConnectionOptions, options: PostgresPoolOptions,
        logger: Logger
    ) throws(PostgresError) {
        precondition(options.connections > 0 && options.mostWaiting > 0, "a pool has no size")
        _ = try PostgresURL(url)
        let monitor = PoolMonitor(
            mostWaiting: options.mostWaiting, longestWait: options.longestWait)
        self.monitor = monitor
        try Self.start("postgres-wait", monitor) { monitor.keepDeadlines() }
        for number in 0..<options.connections {
            try Self.start("postgres-\(number)", monitor) {
                var worker = PoolWorker(url: url, options: connectionOptions, logger: logger)
                while let job = monitor.nextJob() { worker.run(job) }
                worker.close()
            }
        }
    }

    deinit { monitor.stop() }

    /// Runs `body` with a connection on one of the pool's threads.
    ///
    /// `body` must not keep the connection. A transaction it leaves open is rolled back. Throws
    /// `overloaded` when the queue is full, the wait too long or the pool shut down, and
    /// `cancelled` when the task is cancelled while waiting; work that has started is not
    /// cancelled.
    public func run<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let monitor = monitor
        let id = monitor.nextID()
        let outcome: Result<Value, PostgresError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                monitor.submit(
                    PoolQueue.Job(id: id) { connection in
                        let outcome = Self.outcome(of: body, connection)
                        return { continuation.resume(returning: outcome) }
                    })
                // A task cancelled before the job was queued was not found by the handler below.
                if Task.isCancelled { monitor.cancel(id) }
            }
        } onCancel: {
            monitor.cancel(id)
        }
        return try outcome.get()
    }

    /// Refuses what waits, lets what runs finish, closes the connections and returns when all is
    /// done.
    ///
    /// Bounded by the call timeout of the running work. Repeating it is harmless.
    public func shutdown() async {
        monitor.stop()
        await withCheckedContinuation { monitor.whenEnded($0) }
    }

    private static func outcome<Value>(
        of body: (PostgresConnection) throws(PostgresError) -> Value,
        _ connection: Result<PostgresConnection, PostgresError>
    ) -> Result<Value, PostgresError> {
        do throws(PostgresError) {
            return .success(try body(try connection.get()))
        } catch {
            return .failure(error)
        }
    }

    private static func start(
        _ name: String, _ monitor: PoolMonitor, _ body: @escaping @Sendable () -> Void
    ) throws(PostgresError) {
        monitor.threadStarts()
        let started = PoolThread.start(named: name) {
            body()
            monitor.threadEnds()
        }
        if started { return }
        monitor.threadEnds()
        monitor.stop()
        throw PostgresError(kind: .overloaded(reason: "the system gives no more threads"))
    }
}
