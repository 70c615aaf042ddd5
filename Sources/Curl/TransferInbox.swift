internal import CCurl
internal import Glibc
internal import Synchronization

/// What tasks leave for the loop thread, and the descriptor that wakes it.
///
/// The descriptor is written only under the lock and closed only under it, so that nobody writes to
/// a number that meanwhile belongs to another file.
final class TransferInbox: Sendable {
    /// What the loop thread is asked to do.
    enum Command: Sendable {
        case start(Transfer)
        case resume(Transfer)
        case stop(Transfer)
    }

    /// How far the client has come in its life.
    enum Phase: Sendable { case open, closing, closed }

    private struct State {
        var phase = Phase.open
        var commands: [Command] = []
        var isSignalled = false
        var closeWaiters: [CheckedContinuation<Void, Never>] = []
    }

    /// Becomes readable when there is something to take.
    let descriptor: CInt

    private let maximumTransfers: Int
    private let state = Mutex(State())
    /// How many transfers were accepted and have not finished. Raised under the lock only.
    private let openTransfers = Atomic(0)

    /// Makes an inbox, or fails if the process has no descriptor left.
    init(maximumTransfers: Int) throws(CurlFailure) {
        self.maximumTransfers = maximumTransfers
        descriptor = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else {
            throw CurlFailure(.internalError, detail: "eventfd failed with errno \(errno)")
        }
    }

    /// The loop closes the descriptor; if it never ran, it is still ours.
    deinit {
        let isOurs = state.withLock { $0.phase != .closed }
        if isOurs { close(descriptor) }
    }

    /// Queues a new transfer, or tells why it cannot be run.
    func start(_ transfer: Transfer) -> CurlFailure? {
        state.withLock { state in
            guard state.phase == .open else { return CurlFailure(.shutdown) }
            guard openTransfers.load(ordering: .relaxed) < maximumTransfers else {
                return CurlFailure(.overloaded)
            }
            openTransfers.add(1, ordering: .relaxed)
            state.commands.append(.start(transfer))
            signal(&state)
            return nil
        }
    }

    /// Queues a command about a transfer that was started. After the end it has no meaning.
    func post(_ command: Command) {
        state.withLock { state in
            guard state.phase != .closed else { return }
            state.commands.append(command)
            signal(&state)
        }
    }

    /// Asks the loop to fail what is running and to end. Repeating it changes nothing.
    func requestClose() {
        state.withLock { state in
            guard state.phase == .open else { return }
            state.phase = .closing
            signal(&state)
        }
    }

    /// Returns once the loop has ended.
    func waitUntilClosed() async {
        await withCheckedContinuation { continuation in
            let isClosed = state.withLock { state in
                guard state.phase != .closed else { return true }
                state.closeWaiters.append(continuation)
                return false
            }
            if isClosed { continuation.resume() }
        }
    }

    // MARK: The loop's side

    /// Makes room for another transfer. Called once for each that was accepted, before its consumer
    /// learns of the end, so that one who asks again at once is not refused.
    func transferFinished() { openTransfers.subtract(1, ordering: .relaxed) }

    /// Takes what was queued.
    func take() -> (commands: [Command], isClosing: Bool) {
        state.withLock { state in
            if state.isSignalled {
                var counter: UInt64 = 0
                // Only resets the counter; there is nothing to do if that fails but to come again.
                _ = unsafe read(descriptor, &counter, MemoryLayout<UInt64>.size)
                state.isSignalled = false
            }
            let commands = state.commands
            state.commands = []
            return (commands, state.phase != .open)
        }
    }

    /// Closes the descriptor and tells everybody who waits for the end.
    func finishClosing() {
        let waiters = state.withLock { state in
            precondition(state.phase != .closed, "the loop ends once")
            state.phase = .closed
            state.commands = []
            close(descriptor)
            return state.closeWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Wakes the loop, once per time it looks.
    private func signal(_ state: inout State) {
        guard !state.isSignalled else { return }
        state.isSignalled = true
        var one: UInt64 = 1
        // Cannot block: the counter would have to be at its maximum.
        _ = unsafe write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}
