import ArgumentParser
import TurnpikeConfiguration

/// `turnpike migrate`
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database to this version.",
        discussion: """
            Applies what is missing, in order, and refuses a database that was changed by hand or is newer.

              turnpike migrate --config /etc/turnpike/turnpike.yaml
            """)

    @Option(help: "The configuration file.")
    var config: String

    func run() async throws {
        let configuration = try Configuration.load(path: config) {
            ProcessEnvironment.current[$0]
        }
        let applied = try await Wiring.migrate(configuration)
        StartupProgress().say(
            applied == 0
                ? "The database is at this version." : "Applied \(applied) migration(s).")
    }
}
