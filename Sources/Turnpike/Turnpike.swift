import Admin
import ArgumentParser

/// The program.
@main
struct Turnpike: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turnpike",
        abstract: "A multi-tenant gateway for chat completions, with hard quotas.",
        version: "turnpike \(TurnpikeVersion.current)",
        subcommands: [UpCommand.self, ServeCommand.self, MigrateCommand.self, AdminCommand.self])

    static func main() async {
        // Completions, the manual and the doctor are of the whole program.
        await ProgramRoot.$current.withValue(ProgramRoot(Self.self)) {
            await DoctorParts.$current.withValue(DoctorRooms.parts) { await parseAndRun() }
        }
    }

    private static func parseAndRun() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            CommandExit.end(with: error, in: Self.self)
        }
    }
}

/// The version of this program.
enum TurnpikeVersion {
    /// Major, minor, patch.
    static let current = "0.1.0"
}
