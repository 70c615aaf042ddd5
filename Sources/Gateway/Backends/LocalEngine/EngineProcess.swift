import Foundation
import Synchronization

/// A running engine: a process in a group of its own, its output on the way to its log.
///
/// A thread starts it, waits for its end and ends with it. It must be one thread, and no pooled
/// one: the kernel sends the guard's signal when the *thread* that started the process ends.
final class EngineProcess: Sendable {
    private struct State {
        /// The process and its group; nil once it was reaped and the number may name another.
        var pid: pid_t?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>
    /// Held open for as long as the process runs, where the guard watches it.
    private let guardPipe: FileHandle?

    /// Starts `arguments` under `guardian` and calls `onExit` with the reason once it ended and the
    /// last of its output was taken. Throws when the system does not start a process.
    static func start(
        _ arguments: [String], environment: [String: String], guardian: EngineGuard,
        log: EngineLog, onExit: @escaping @Sendable (String) -> Void
    ) async throws(EngineFault) -> EngineProcess {
        let started = await withCheckedContinuation { continuation in
            let thread = Thread {
                runThread(
                    arguments, environment: environment, guardian: guardian, log: log,
                    onStart: { continuation.resume(returning: $0) }, onExit: onExit)
            }
            thread.name = "engine"
            thread.start()
        }
        return try started.get()
    }

    private init(pid: pid_t, guardPipe: FileHandle?) {
        state = Mutex(State(pid: pid))
        self.guardPipe = guardPipe
    }

    /// The number of its process group; nil once it is gone.
    var group: Int32? { state.withLock { $0.pid } }

    /// Sends a signal to the process and everything it started. Nothing happens once it is gone.
    func signal(_ number: Int32) {
        // Under the lock, so that the number cannot be given to another process meanwhile.
        state.withLock { state in
            if let pid = state.pid { _ = Glibc.kill(-pid, number) }
        }
    }

    /// Waits until the process is gone, also in a cancelled task.
    func waitForExit() async {
        await withCheckedContinuation { continuation in
            let isGone = state.withLock { state in
                if state.pid != nil { state.waiters.append(continuation) }
                return state.pid == nil
            }
            if isGone { continuation.resume() }
        }
    }

    // MARK: The thread

    private static func runThread(
        _ arguments: [String], environment: [String: String], guardian: EngineGuard,
        log: EngineLog, onStart: (Result<EngineProcess, EngineFault>) -> Void,
        onExit: @Sendable (String) -> Void
    ) {
        let output = Pipe()
        let input = guardian == .standardInput ? Pipe() : nil
        let process: EngineProcess
        do throws(EngineFault) {
            let pid = try ChildProcess.spawn(
                guardian.command(running: arguments, gateway: getpid()),
                environment: environment,
                input: input?.fileHandleForReading.fileDescriptor,
                output: output.fileHandleForWriting.fileDescriptor)
            process = EngineProcess(pid: pid, guardPipe: input?.fileHandleForWriting)
        } catch {
            return onStart(.failure(error))
        }
        // The reader sees the end of the output once nobody writes, this process included. Closing
        // what is open does not fail.
        try? output.fileHandleForWriting.close()
        try? input?.fileHandleForReading.close()
        let outputEnded = Pipe()
        let reader = Thread {
            ChildProcess.read(output.fileHandleForReading.fileDescriptor) { log.append($0) }
            try? outputEnded.fileHandleForWriting.close()
            // Closed by the handle's end, which is this thread's.
            withExtendedLifetime(output) {}
        }
        reader.name = "engine output"
        reader.start()
        onStart(.success(process))
        onExit(process.waitAndReap(outputEnded, log))
    }

    /// Blocks until the process ended. Returns how, with the last line it printed.
    private func waitAndReap(_ outputEnded: Pipe, _ log: EngineLog) -> String {
        guard let pid = state.withLock({ $0.pid }) else { return "" }
        ChildProcess.waitForEnd(of: pid)
        let (ending, waiters) = state.withLock { state in
            // What it started and left behind is in its group, whose number is still taken: nothing
            // survives.
            _ = Glibc.kill(-pid, SIGKILL)
            let ending = ChildProcess.reap(pid)
            defer { state = State(pid: nil) }
            return (ending, state.waiters)
        }
        // Normally at once; not at all if something outside of the group still holds the output.
        ChildProcess.waitUntilClosed(
            outputEnded.fileHandleForReading.fileDescriptor, atMost: 1000)
        for waiter in waiters { waiter.resume() }
        let lastLine = log.lastLine
        return lastLine.isEmpty ? ending : "\(ending); its last words: \(lastLine)"
    }
}
