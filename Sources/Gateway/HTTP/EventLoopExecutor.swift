import NIOCore

/// Runs a connection's tasks on the connection's own event loop.
///
/// Without it each request crosses threads several times (loop to pool, pool to loop), which costs
/// more CPU than all of the gateway's own work on a small request. Nothing that runs here may
/// block.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    /// Makes the executor of an event loop.
    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        // A job runs exactly once, here, and this executor lives as long as the closure: what the
        // two unowned references need.
        let job = UnownedJob(job)
        eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
