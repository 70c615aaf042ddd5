import Foundation
import Synchronization

/// A program that runs, with what it has written so far.
///
/// It leads its own process group, as at a terminal. It is killed when this process ends, however
/// that comes about: a thread of its own starts it and waits for it, because Linux sends the
/// parent-death signal when that thread ends.
final class RunningProgram: Sendable {
    /// How a program ended and what it wrote.
    struct End: Sendable {
        /// 128 and the signal's number when a signal ended it.
        let status: Int32
        let output: String
        let complaint: String
    }

    private struct State {
        var output: [UInt8] = []
        var complaint: [UInt8] = []
        var status: Int32?
        var openPipes = 2
    }

    /// Its process id, which is its process group's as well.
    let id: Int32
    private let state: Shared

    /// What the threads of one program share. The condition guards the state.
    // Unchecked: every access holds the condition's lock.
    private final class Shared: @unchecked Sendable {
        private let condition = NSCondition()
        private var state = State()

        func change(_ body: (inout State) -> Void) {
            condition.lock()
            body(&state)
            condition.broadcast()
            condition.unlock()
        }

        func wait<Value>(
            _ what: String, _ bound: Duration, for value: (State) throws -> Value?
        ) throws -> Value {
            let end = Date(timeIntervalSinceNow: bound / .seconds(1))
            condition.lock()
            defer { condition.unlock() }
            while true {
                if let value = try value(state) { return value }
                guard condition.wait(until: end) else {
                    throw NotInTime(
                        what: what + "\n" + String(decoding: state.complaint, as: UTF8.self),
                        bound: bound)
                }
            }
        }
    }

    /// A program could not be started, or ended before it did what was awaited.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private init(id: Int32, state: Shared) {
        self.id = id
        self.state = state
    }

    /// Starts a program with the environment of this process, changed by `environment`.
    static func start(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> RunningProgram {
        let state = Shared()
        let started = Mutex<Result<Int32, any Error>?>(nil)
        let semaphore = DispatchSemaphore(value: 0)
        let thread = Thread {
            let process = Process()
            let outcome = Result {
                try launch(process, [executable] + arguments, environment, state)
            }
            started.withLock { $0 = outcome }
            semaphore.signal()
            guard case .success = outcome else { return }
            process.waitUntilExit()
            let isSignal = process.terminationReason == .uncaughtSignal
            state.change { $0.status = process.terminationStatus + (isSignal ? 128 : 0) }
        }
        thread.start()
        semaphore.wait()
        guard let outcome = started.withLock({ $0 }) else { throw Failure(description: "no start") }
        return RunningProgram(id: try outcome.get(), state: state)
    }

    private static func launch(
        _ process: Process, _ words: [String], _ environment: [String: String], _ state: Shared
    ) throws -> Int32 {
        process.executableURL = URL(filePath: "/usr/bin/setpriv")
        process.arguments = ["--pdeathsig", "KILL", "--"] + words
        process.environment = ProcessInfo.processInfo.environment
            .merging(environment) { _, given in given }
        process.standardInput = FileHandle.nullDevice
        let (output, complaint) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = complaint
        try process.run()
        read(output, state) { $0.output += $1 }
        read(complaint, state) { $0.complaint += $1 }
        return process.processIdentifier
    }

    private static func read(
        _ pipe: Pipe, _ state: Shared,
        _ take: @escaping @Sendable (inout State, Data) -> Void
    ) {
        let handle = pipe.fileHandleForReading
        let thread = Thread {
            while true {
                let piece = handle.availableData
                state.change { piece.isEmpty ? ($0.openPipes -= 1) : take(&$0, piece) }
                if piece.isEmpty { break }
            }
        }
        thread.start()
    }

    // MARK: Watching

    /// Waits until it has written a line that contains `text`, and returns the line. Throws when it
    /// ends first.
    func line(containing text: String, within bound: Duration = .seconds(60)) throws -> String {
        try state.wait("the line '\(text)'", bound) { state in
            for stream in [state.output, state.complaint] {
                // Only whole lines: the rest of one may still be on its way.
                let whole = stream[..<(stream.lastIndex(of: 10) ?? 0)]
                let lines = String(decoding: whole, as: UTF8.self).split(separator: "\n")
                if let line = lines.first(where: { $0.contains(text) }) { return String(line) }
            }
            guard state.status == nil || state.openPipes > 0 else {
                throw Failure(
                    description: "ended with \(state.status ?? -1) before '\(text)': "
                        + String(decoding: state.complaint, as: UTF8.self))
            }
            return nil
        }
    }

    /// What it has written so far, standard output first.
    func written() -> (output: String, complaint: String) {
        // Nothing is awaited, so nothing can be late.
        let texts = try? state.wait("", .seconds(1)) { ($0.output, $0.complaint) }
        return (
            String(decoding: texts?.0 ?? [], as: UTF8.self),
            String(decoding: texts?.1 ?? [], as: UTF8.self)
        )
    }

    /// Sends a signal to it, or to its whole process group as a terminal does.
    func signal(_ number: Int32, wholeGroup: Bool = false) { kill(wholeGroup ? -id : id, number) }

    /// Waits until it has ended and its output is complete.
    func end(within bound: Duration = .seconds(30)) throws -> End {
        try state.wait("the end of the program", bound) { state in
            guard let status = state.status, state.openPipes == 0 else { return nil }
            return End(
                status: status, output: String(decoding: state.output, as: UTF8.self),
                complaint: String(decoding: state.complaint, as: UTF8.self))
        }
    }

    /// Runs a program to its end.
    static func run(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:],
        within bound: Duration = .seconds(30)
    ) throws -> End {
        let program = try start(executable, arguments, environment: environment)
        do {
            return try program.end(within: bound)
        } catch {
            program.signal(SIGKILL, wholeGroup: true)
            throw error
        }
    }
}
