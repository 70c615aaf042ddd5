import ArgumentParser
import TurnpikeConfiguration

/// `turnpike serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the gateway against a Postgres that somebody else runs.",
        discussion: """
            The database must be at this version's schema: run turnpike migrate first.

              turnpike serve --config /etc/turnpike/turnpike.yaml
            """)

    @Option(help: "The configuration file.")
    var config: String

    @Flag(help: "Go on with a ledger older than this node's journal: a restored backup.")
    var acceptOlderLedger = false

    func run() async throws {
        let start = try ProgramStart(configurationFile: config)
        let stop = StopRequest()
        try await stop.whileWatchingSignals {
            let node = try start.node(acceptsOlderLedger: acceptOlderLedger)
            try await node.run(until: stop, besides: [], needsEngines: false) { addresses in
                StartupProgress().say("Serving on http://\(addresses.listen).")
            }
        }
    }
}
