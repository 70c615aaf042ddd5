import Dispatch
import Glibc
import Synchronization

/// Brings the journal to the disk for many requests at once: those who come while one flush runs
/// share the next (group commit).
final class JournalSync: Sendable {
    /// Brings one file to the disk; 0, or the error's number.
    typealias Flush = @Sendable (OpenFile) -> CInt

    private struct State {
        var waiting: [CheckedContinuation<Bool, Never>] = []
        var isRunning = false
        /// The segments that what is waited for may be in.
        var segments: [OpenFile] = []
        /// Folders whose names may not be on the disk.
        var folders: [OpenFile] = []
    }

    private let state = Mutex(State())
    private let failed = Atomic<Bool>(false)
    private let flush: Flush
    /// Ends when a flush fails.
    private let (lives, life) = AsyncStream<Never>.makeStream()
    // A thread that may block, as tasks must not.
    private let queue = DispatchQueue(label: "turnpike-journal")

    init(flush: @escaping Flush) { self.flush = flush }

    /// The journal goes on in `segment`, whose name is new in `folders`. The one before is still
    /// flushed along: a request may have been opened in it a moment ago. None older is: no request
    /// waits through two segments.
    func goesOn(in segment: OpenFile, new folders: [OpenFile]) {
        state.withLock { state in
            state.segments = state.segments.suffix(1) + [segment]
            state.folders = folders
        }
    }

    /// Nothing that is waited for is in the segment before the last: its file may go.
    func letGo() { state.withLock { state in state.segments = state.segments.suffix(1) } }

    /// `fdatasync(2)`: the data, and the metadata that is needed to read it.
    static let dataSync: Flush = { file in
        while true {
            if fdatasync(file.descriptor) == 0 { return 0 }
            if errno != EINTR { return errno }
        }
    }

    /// Whether a flush has failed. It is never tried again: the kernel may have dropped what it
    /// could not write and report success the next time (PostgreSQL stops for the same reason).
    var hasFailed: Bool { failed.load(ordering: .acquiring) }

    /// Returns when a flush has failed, or the task is cancelled. For one task.
    func failure() async { for await _ in lives {} }

    /// Returns once everything written before the call is on the disk; false when that failed.
    func run() async -> Bool {
        await withCheckedContinuation { continuation in
            let starts = state.withLock { state in
                state.waiting.append(continuation)
                defer { state.isRunning = true }
                return !state.isRunning
            }
            if starts { queue.async { self.work() } }
        }
    }

    private func work() {
        while true {
            let (waiting, files) = state.withLock { state in
                defer {
                    state.waiting = []
                    state.folders = []
                }
                state.isRunning = !state.waiting.isEmpty
                return (state.waiting, state.segments + state.folders)
            }
            if waiting.isEmpty { return }
            if !hasFailed, files.contains(where: { flush($0) != 0 }) {
                failed.store(true, ordering: .releasing)
                life.finish()
            }
            let isOnDisk = !hasFailed
            for continuation in waiting { continuation.resume(returning: isOnDisk) }
        }
    }
}
