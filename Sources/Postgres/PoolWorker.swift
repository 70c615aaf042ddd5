import Logging

/// What one thread of a pool does: keeps a connection and runs work on it.
struct PoolWorker {
    private let url: String
    private let options: PostgresConnectionOptions
    private let logger: Logger
    private var connection: PostgresConnection?

    init(url: String, options: PostgresConnectionOptions, logger: Logger) {
        self.url = url
        self.options = options
        self.logger = logger
    }

    /// Runs `job` and tells its caller, once the connection is fit for the next.
    mutating func run(_ job: PoolQueue.Job) {
        let tell = job.run(openConnection())
        tidy()
        tell()
    }

    /// Closes the connection, if there is one.
    mutating func close() {
        connection?.close()
        connection = nil
    }

    /// The connection, opened anew if there is none or the server has closed it meanwhile.
    private mutating func openConnection() -> Result<PostgresConnection, PostgresError> {
        if let connection {
            if connection.checkIsOpen() { return .success(connection) }
            logger.info("a pooled database connection was lost while idle; opening another")
        }
        do throws(PostgresError) {
            let opened = try PostgresConnection(url: url, options: options)
            connection = opened
            return .success(opened)
        } catch {
            connection = nil
            return .failure(error)
        }
    }

    private mutating func tidy() {
        guard let connection else { return }
        if connection.isInTransaction {
            logger.error("pooled database work left a transaction open; it is rolled back")
            connection.rollBack()
        }
        if connection.isBroken { close() }
    }
}
