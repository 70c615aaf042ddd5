import Foundation

/// Runs a command that ends by itself within moments, and returns what it said.
enum ShortCommand {
    /// What came of it.
    struct Outcome: Sendable {
        let status: Int32
        /// Output and errors together, at most the last 64 KiB.
        let output: String
    }

    /// Runs a command to its end. `account` is who it runs as; nil for our own.
    static func run(
        _ executable: String, _ arguments: [String], account: SystemAccount? = nil
    ) async throws(StartupFailure) -> Outcome {
        let file = FileManager.default.temporaryDirectory
            .appending(path: "turnpike-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }  // In a folder that is cleaned.
        let child = try await ChildProcess.start(
            ChildProcess.Command(
                executable: executable, arguments: arguments, environment: ["LC_ALL": "C"],
                deathSignal: "KILL", account: account, outputFile: file))
        let status = await child.ended()
        let data = FileManager.default.contents(atPath: file) ?? Data()
        let text = String(decoding: data.suffix(65_536), as: UTF8.self)
        return Outcome(status: status, output: text.trimmingCharacters(in: .newlines))
    }
}
