internal import CCurl
internal import Glibc
internal import Logging
internal import Synchronization

/// What a loop is made of, before its thread exists.
struct TransferLoopParts: Sendable {
    let configuration: CurlConfiguration
    let inbox: TransferInbox
    let poller: Poller
    let multi: MultiPointer
    let logger: Logger
    let clock: @Sendable () -> MonotonicInstant

    /// libcurl's multi handle on its way to the loop thread.
    ///
    /// It is handed over once, from the thread that made it to the one that uses it from then on,
    /// with the start of the latter in between; nobody else has it. Hence unchecked.
    @safe struct MultiPointer: @unchecked Sendable {
        let pointer: UnsafeMutableRawPointer
    }
}

/// The operating system's thread under a loop.
final class LoopThread: Sendable {
    /// Nil once the thread was joined or left to itself.
    private let thread: Mutex<pthread_t?>

    /// Starts a thread that runs a loop made of the parts, with every signal blocked: they are for
    /// the threads of the program that uses the client.
    init(_ parts: TransferLoopParts) throws(CurlFailure) {
        let box = unsafe Unmanaged.passRetained(PartsBox(parts))
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
        var started = pthread_t()
        let code = unsafe pthread_create(
            &started, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let box = unsafe Unmanaged<PartsBox>.fromOpaque(context).takeRetainedValue()
                unsafe ccurl_name_thread("curl")
                TransferLoop(box.parts).run()
                return nil
            }, box.toOpaque())
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            unsafe box.release()
            throw CurlFailure(.internalError, detail: "pthread_create failed with \(code)")
        }
        thread = Mutex(started)
    }

    /// Left to itself: it ends when its loop does, and its resources with it.
    deinit {
        if let thread = thread.withLock({ $0.take() }) { pthread_detach(thread) }
    }

    /// Waits for the thread's end, which must be near.
    func join() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        pthread_join(thread, nil)
    }

    private final class PartsBox: Sendable {
        let parts: TransferLoopParts
        init(_ parts: TransferLoopParts) { self.parts = parts }
    }
}
