#if DEBUG
    import Domain
    import Foundation

    /// Arms the failpoint that the environment names, as a crash test asks for it. Not in release
    /// builds.
    enum FailpointArming {
        /// Reads `TURNPIKE_FAILPOINT=name:count`: at that pass of that place the process kills
        /// itself, as `kill -9` would. Throws when the variable says something else.
        static func arm(from environment: [String: String]) throws(StartupFailure) {
            guard let text = environment["TURNPIKE_FAILPOINT"], !text.isEmpty else { return }
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, let count = Int(parts[1]), count > 0 else {
                throw StartupFailure("TURNPIKE_FAILPOINT is \"\(text)\"; give name:count")
            }
            Failpoint.arm(String(parts[0]), count: count) { _ = kill(getpid(), SIGKILL) }
        }
    }
#endif
