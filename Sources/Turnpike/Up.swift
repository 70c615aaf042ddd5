public import ArgumentParser
import Foundation
public import TurnpikeConfiguration

/// `turnpike up`
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run everything on one machine: a private Postgres, a local engine, the gateway.",
        discussion: """
            Keeps all its state in one folder. The first start makes a team and a key, and prints the key once, \
            together with a curl that works.

              turnpike up
              turnpike up --data-dir ./state --listen 127.0.0.1:9000
            """)

    @Option(help: "The folder of all state; usually the user's state folder.")
    var dataDir: String?

    @Option(help: "Where clients call.")
    var listen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 8080)

    @Option(help: "Where health and metrics are read.")
    var adminListen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 8081)

    @Flag(help: "Go on with a ledger older than this node's journal: a restored backup.")
    var acceptOlderLedger = false

    func validate() throws {
        if listen == adminListen, listen.port != 0 {
            throw ValidationError("--listen and --admin-listen are the same address.")
        }
    }

    func run() async throws {
        ProgramStart.prepareProcess()
        let environment = ProcessEnvironment.current
        let path = try dataDir ?? DataDirectory.usual(environment: environment)
        let session = UpSession(
            directory: try DataDirectory(path: path), listen: listen, adminListen: adminListen,
            environment: environment,
            executable: Bundle.main.executablePath ?? CommandLine.arguments[0],
            acceptsOlderLedger: acceptOlderLedger)
        try await session.stop.whileWatchingSignals { try await session.run() }
    }
}

extension ListenAddress: ExpressibleByArgument {
    /// Reads `HOST:PORT` from the command line.
    public init?(argument: String) { self.init(argument) }
}
