import ArgumentParser
import Glibc
import TurnpikeConfiguration

/// `turnpike serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the gateway against a Postgres that somebody else runs.",
        discussion: """
            The database must be at this version's schema: run turnpike migrate first.

              turnpike serve --config /etc/turnpike/turnpike.yaml

            A changed file, or SIGHUP, puts the file's models and prices in force, all of them or, if \
            anything is wrong with it, none. SIGTERM stops gracefully.
            """)

    @Option(help: "The configuration file.")
    var config: String

    @Flag(help: "Go on with a ledger older than this node's journal: a restored backup.")
    var acceptOlderLedger = false

    func run() async throws {
        // From here on: a hang-up during the start must not end it, nor a change be overlooked.
        let reloads = Reloads(of: config, time: SystemTime())
        let start = try ProgramStart(configurationFile: config)
        let stop = StopRequest()
        try await stop.whileWatchingSignals {
            var node = try start.node(acceptsOlderLedger: acceptOlderLedger)
            node.reloads = reloads
            try await node.run(until: stop, besides: [], needsEngines: false) { addresses in
                StartupProgress().say("Serving on http://\(addresses.listen).")
            }
        }
    }
}
