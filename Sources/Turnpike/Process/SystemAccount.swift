import Foundation

/// An account of the system that a child can run as when we are root.
struct SystemAccount: Sendable, Equatable {
    let name: String
    /// Its primary group.
    let group: String

    /// Who a database runs as when root starts it, which PostgreSQL refuses to run as: `postgres`
    /// where the package made it, else `nobody`. Nil when we are not root and run it ourselves.
    static func forDatabase() async throws(StartupFailure) -> SystemAccount? {
        guard geteuid() == 0 else { return nil }
        for name in ["postgres", "nobody"] {
            let outcome = try await ShortCommand.run("id", ["-gn", name])
            if outcome.status == 0, !outcome.output.isEmpty {
                return SystemAccount(name: name, group: outcome.output)
            }
        }
        throw StartupFailure(
            "PostgreSQL does not run as root, and there is neither an account postgres nor nobody; "
                + "start turnpike as another user")
    }

    /// Whether the account can get into a folder, that is, may enter every folder above it too.
    func mayEnter(_ folder: String) async throws(StartupFailure) -> Bool {
        try await ShortCommand.run("test", ["-x", folder], account: self).status == 0
    }
}
