import Foundation
import Synchronization

/// A child process that ends when this process ends, however that comes about.
///
/// It belongs to a thread of its own: Linux sends the parent-death signal when the *thread* that
/// started the child ends, and threads of the cooperative pool come and go. The thread waits until
/// the child has ended. The child leads its own process group, so that Ctrl-C at a terminal reaches
/// only this process, which stops its children in order.
final class ChildProcess: Sendable {
    /// What to start.
    struct Command: Sendable {
        /// A path.
        var executable: String
        var arguments: [String]
        /// Added to the inherited environment.
        var environment: [String: String] = [:]
        /// What the child gets when this process is gone.
        var deathSignal = "TERM"
        /// The account it runs as; nil for our own.
        var account: SystemAccount?
        /// A file that its output is appended to; nil throws it away.
        var outputFile: String?
    }

    private struct State {
        var status: Int32?
        var waiting: [CheckedContinuation<Int32, Never>] = []
    }

    /// The child's process id, which is also its process group's.
    let id: Int32
    private let state: StateBox

    /// Shared with the thread that waits for the child.
    private final class StateBox: Sendable {
        let state = Mutex(State())

        func end(with status: Int32) {
            let waiting = state.withLock { state in
                state.status = status
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume(returning: status) }
        }
    }

    private init(id: Int32, state: StateBox) {
        self.id = id
        self.state = state
    }

    /// Starts a child; returns as soon as it exists.
    static func start(_ command: Command) async throws(StartupFailure) -> ChildProcess {
        let state = StateBox()
        let started: Result<Int32, StartupFailure> = await withCheckedContinuation { started in
            let thread = Thread {
                let process = Process()
                do {
                    try configure(process, for: command)
                    try process.run()
                } catch {
                    started.resume(
                        returning: .failure(
                            StartupFailure("\(command.executable) cannot be started: \(error)")))
                    return
                }
                started.resume(returning: .success(process.processIdentifier))
                process.waitUntilExit()
                let isSignal = process.terminationReason == .uncaughtSignal
                state.end(with: process.terminationStatus + (isSignal ? 128 : 0))
            }
            thread.name = "turnpike-child"
            thread.start()
        }
        return ChildProcess(id: try started.get(), state: state)
    }

    private static func configure(_ process: Process, for command: Command) throws {
        var words = [command.executable] + command.arguments
        #if os(Linux)
            // The account first: changing it clears the parent-death signal.
            if let account = command.account {
                words =
                    [
                        "setpriv", "--reuid", account.name, "--regid", account.group,
                        "--init-groups", "--",
                    ]
                    + words
            }
            let index = command.account == nil ? 0 : 7
            words.insert(
                contentsOf: ["setpriv", "--pdeathsig", command.deathSignal, "--"], at: index)
        #endif
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.currentDirectoryURL = URL(filePath: "/")
        process.environment = ProcessInfo.processInfo.environment
            .merging(command.environment) { _, ours in ours }
        process.standardInput = FileHandle.nullDevice
        var output = FileHandle.nullDevice
        if let file = command.outputFile {
            if !FileManager.default.fileExists(atPath: file) {
                _ = FileManager.default.createFile(
                    atPath: file, contents: nil, attributes: [.posixPermissions: 0o600])
            }
            output = try FileHandle(forWritingTo: URL(filePath: file))
            try output.seekToEnd()
        }
        process.standardOutput = output
        process.standardError = output
    }

    /// The status it ended with (128 and the signal's number when a signal ended it); nil while it
    /// runs.
    var status: Int32? { state.state.withLock(\.status) }

    /// Waits until it has ended and returns the status.
    func ended() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = state.state.withLock { state in
                if state.status == nil { state.waiting.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    /// Waits until it has ended, for as long as `limit`; nil when it still runs.
    func ended(within limit: Duration) async -> Int32? {
        await ProcessWatch.waits(for: limit) { self.status != nil }
        return status
    }

    /// Sends it a signal; nothing happens once it has ended.
    func send(_ signal: Int32) {
        // The number could be another process's by now only if ours was reaped, after which there
        // is a status.
        if status == nil { _ = kill(id, signal) }
    }
}
