import Glibc
import Logging
import Synchronization
import Testing

@testable import Postgres

/// A door that bodies on a pool's threads wait at until a test opens it. Blocks a thread, so only
/// for those.
private final class Door: Sendable {
    private let pipe: (read: Int32, write: Int32)

    init() {
        var ends: [Int32] = [0, 0]
        precondition(Glibc.pipe(&ends) == 0)
        pipe = (ends[0], ends[1])
    }

    deinit {
        close(pipe.read)
        close(pipe.write)
    }

    /// Lets `count` waiters through, now or later.
    func open(_ count: Int = 1) {
        var bytes = [UInt8](repeating: 1, count: count)
        precondition(write(pipe.write, &bytes, count) == count)
    }

    func wait() {
        var byte: UInt8 = 0
        precondition(read(pipe.read, &byte, 1) == 1)
    }
}

@Suite struct PostgresPools {
    private func pool(
        connections: Int = 1, mostWaiting: Int = 16, longestWait: Duration = .seconds(30),
        url: String? = nil
    ) throws -> PostgresPool {
        var options = PostgresPoolOptions()
        options.connections = connections
        options.mostWaiting = mostWaiting
        options.longestWait = longestWait
        return try PostgresPool(
            url: url ?? ScratchPostgres.shared.get().url,
            connectionOptions: PostgresConnectionOptions(), options: options,
            logger: Logger(label: "test"))
    }

    /// Runs something that waits behind `inside` once it has opened `started`.
    private func occupy(
        _ pool: PostgresPool, started: Door, until inside: Door
    ) -> Task<Int32, any Error> {
        Task {
            try await pool.run { connection throws(PostgresError) in
                started.open()
                inside.wait()
                return connection.backendProcessID
            }
        }
    }

    @Test func `work runs side by side on as many connections as the pool has`() async throws {
        let pool = try pool(connections: 3)
        let (started, inside) = (Door(), Door())
        let tasks = (0..<3).map { _ in occupy(pool, started: started, until: inside) }
        // All three are inside at once, or this would wait for ever.
        await Task.detached { for _ in 0..<3 { started.wait() } }.value
        inside.open(3)
        var processes: Set<Int32> = []
        for task in tasks { processes.insert(try await task.value) }
        #expect(processes.count == 3)
        await pool.shutdown()
    }

    @Test func `much work on few connections is all done, each with its own answer`() async throws {
        let pool = try pool(connections: 2, mostWaiting: 500)
        let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let answer = try await pool.run { connection throws(PostgresError) in
                        try connection.execute(sql("SELECT $1", .int8(Int64(number)))).rows[0].int8(
                            0)
                    }
                    return answer == number ? 0 : 1
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wrong == 0)
        await pool.shutdown()
    }

    @Test func `a full queue refuses at once and keeps what it has`() async throws {
        let pool = try pool(mostWaiting: 1)
        let (started, inside) = (Door(), Door())
        let first = occupy(pool, started: started, until: inside)
        await Task.detached { started.wait() }.value
        let outcomes = AsyncStream<Result<Int32, PostgresError>>.makeStream()
        for _ in 0..<2 {
            Task {
                do throws(PostgresError) {
                    let value = try await pool.run { $0.backendProcessID }
                    outcomes.continuation.yield(.success(value))
                } catch {
                    outcomes.continuation.yield(.failure(error))
                }
            }
        }
        var iterator = outcomes.stream.makeAsyncIterator()
        // One waits, so the other is answered first, while the only connection is still taken.
        let refused = await iterator.next()
        #expect(throws: PostgresError.self) { try refused?.get() }
        inside.open()
        let process = try await first.value
        #expect(try await iterator.next()?.get() == process)
        await pool.shutdown()
    }

    @Test func `work that waits too long is refused while the rest goes on`() async throws {
        let pool = try pool(longestWait: .milliseconds(20))
        let (started, inside) = (Door(), Door())
        let first = occupy(pool, started: started, until: inside)
        await Task.detached { started.wait() }.value
        let error = await #expect(throws: PostgresError.self) {
            try await pool.run { connection throws(PostgresError) in connection.backendProcessID }
        }
        #expect(error?.isOverloaded == true)
        inside.open()
        _ = try await first.value
        await pool.shutdown()
    }

    @Test func `a task cancelled while it waits is told so and never runs`() async throws {
        let pool = try pool()
        let (started, inside) = (Door(), Door())
        let first = occupy(pool, started: started, until: inside)
        await Task.detached { started.wait() }.value
        let hasRun = Flag()
        let second = Task {
            try await pool.run { connection throws(PostgresError) in hasRun.set() }
        }
        second.cancel()
        let error = await #expect(throws: PostgresError.self) { try await second.value }
        #expect(error?.isCancelled == true)
        inside.open()
        _ = try await first.value
        await pool.shutdown()
        #expect(!hasRun.isSet)
    }

    @Test func `a connection lost while idle or at work is opened again`() async throws {
        let pool = try pool()
        let watcher = try ScratchPostgres.connect()
        defer { watcher.close() }
        let first = try await pool.run { $0.backendProcessID }
        try watcher.terminate(first)
        try await watcher.waitForEnd(of: first)
        let second = try await pool.run { connection throws(PostgresError) in
            try connection.execute(sql("SELECT pg_backend_pid()")).rows[0].int4(0)
        }
        #expect(second != first)
        let error = await #expect(throws: PostgresError.self) {
            try await pool.run { connection throws(PostgresError) in
                _ = try connection.execute(sql("SELECT pg_terminate_backend(pg_backend_pid())"))
            }
        }
        #expect(error?.sqlState == "57P01")
        let third = try await pool.run { $0.backendProcessID }
        #expect(third != second)
        await pool.shutdown()
    }

    @Test func `a transaction left open is rolled back before the next work`() async throws {
        let pool = try pool()
        try await pool.run { connection throws(PostgresError) in
            try connection.execute(script: "CREATE TEMPORARY TABLE t (n int)")
            _ = try connection.pipeline([sql("BEGIN"), sql("INSERT INTO t VALUES (1)")])
        }
        let rows = try await pool.run { connection throws(PostgresError) in
            try connection.execute(sql("SELECT count(*) FROM t")).rows[0].int8(0)
        }
        #expect(rows == 0)
        await pool.shutdown()
    }

    @Test func `shutdown waits for running work, refuses waiting work, and may be repeated`()
        async throws
    {
        let pool = try pool()
        let (started, inside) = (Door(), Door())
        let first = occupy(pool, started: started, until: inside)
        await Task.detached { started.wait() }.value
        let second = Task { try await pool.run { $0.backendProcessID } }
        let shutdown = Task {
            await pool.shutdown()
            await pool.shutdown()
        }
        // Refused because of the shutdown, whichever of the two came first.
        let error = await #expect(throws: PostgresError.self) { try await second.value }
        #expect(error?.isOverloaded == true)
        inside.open()
        #expect(try await first.value > 0)
        await shutdown.value
        let late = await #expect(throws: PostgresError.self) {
            try await pool.run { connection throws(PostgresError) in connection.backendProcessID }
        }
        #expect(late?.isOverloaded == true)
    }

    @Test func `a server that is away is an error for each piece of work, not for the pool`()
        async throws
    {
        let pool = try pool(url: "postgres://nobody@127.0.0.1:1/none")
        for _ in 0..<2 {
            let error = await #expect(throws: PostgresError.self) {
                try await pool.run { connection throws(PostgresError) in connection.backendProcessID
                }
            }
            #expect(error?.isConnection == true)
        }
        await pool.shutdown()
        #expect(throws: PostgresError.self) { try self.pool(url: "no url") }
    }

    @Test func `a pool that is let go ends its threads`() async throws {
        var pool: PostgresPool? = try pool()
        let monitor = try #require(pool?.monitor)
        pool = nil
        await withCheckedContinuation { monitor.whenEnded($0) }
        #expect(monitor.nextJob() == nil)
    }
}
