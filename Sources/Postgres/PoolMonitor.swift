import Glibc

/// The lock around a pool's queue, and the waiting of its threads.
///
/// `@unchecked Sendable` because every access to the mutable state happens between `lock` and
/// `unlock` of one pthread mutex. Swift's `Mutex` has nothing to wait on, hence pthread's. Jobs are
/// told about outside the lock.
@safe
final class PoolMonitor: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    /// Signalled when there is work, or no more to come.
    private let work: UnsafeMutablePointer<pthread_cond_t>
    /// Signalled when the first deadline may have changed; timed by the monotonic clock.
    private let deadlines: UnsafeMutablePointer<pthread_cond_t>
    private let longestWait: Duration

    private var queue: PoolQueue
    private var lastID: UInt64 = 0
    private var liveThreads = 0
    private var awaitingEnd: [CheckedContinuation<Void, Never>] = []

    init(mostWaiting: Int, longestWait: Duration) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe work = .allocate(capacity: 1)
        unsafe deadlines = .allocate(capacity: 1)
        self.longestWait = longestWait
        queue = PoolQueue(mostWaiting: mostWaiting)
        var monotonic = pthread_condattr_t()
        let failures = unsafe [
            pthread_condattr_init(&monotonic),
            pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC),
            pthread_mutex_init(mutex, nil), pthread_cond_init(work, nil),
            pthread_cond_init(deadlines, &monotonic),
        ]
        unsafe pthread_condattr_destroy(&monotonic)
        // On Linux these only fail for arguments that are wrong.
        precondition(failures.allSatisfy { $0 == 0 }, "pthread refused a mutex or a condition")
    }

    deinit {
        unsafe pthread_cond_destroy(deadlines)
        unsafe pthread_cond_destroy(work)
        unsafe pthread_mutex_destroy(mutex)
        unsafe deadlines.deallocate()
        unsafe work.deallocate()
        unsafe mutex.deallocate()
    }

    /// A number no other job of this pool has.
    func nextID() -> UInt64 {
        locked {
            lastID += 1
            return lastID
        }
    }

    /// Queues `job`, or tells its caller why not.
    func submit(_ job: PoolQueue.Job) {
        let refusal = locked { () -> PostgresError? in
            let wasEmpty = queue.isEmpty
            if let refusal = queue.add(job, until: Deadline(after: longestWait)) { return refusal }
            unsafe pthread_cond_signal(work)
            if wasEmpty { unsafe pthread_cond_signal(deadlines) }
            return nil
        }
        if let refusal { job.refuse(refusal) }
    }

    /// Takes a job out of the queue, if it still waits there, and tells its caller that it was
    /// cancelled.
    func cancel(_ id: UInt64) {
        locked { queue.remove(id) }?.refuse(PostgresError(kind: .cancelled))
    }

    /// Waits for work. Nil when the pool has stopped.
    func nextJob() -> PoolQueue.Job? {
        locked {
            while true {
                if let job = queue.take() { return job }
                if queue.isStopped { return nil }
                unsafe pthread_cond_wait(work, mutex)
            }
        }
    }

    /// Refuses what waits too long, until the pool stops. For one thread.
    func keepDeadlines() {
        while let expired = nextExpired() {
            for job in expired {
                job.refuse(
                    PostgresError(
                        kind: .overloaded(reason: "no connection was free within \(longestWait)")))
            }
        }
    }

    /// Takes no more work and refuses what waits. Running work goes on to its end.
    func stop() {
        let refused = locked { () -> [PoolQueue.Job] in
            defer {
                unsafe pthread_cond_broadcast(work)
                unsafe pthread_cond_broadcast(deadlines)
            }
            return queue.stop()
        }
        for job in refused {
            job.refuse(PostgresError(kind: .overloaded(reason: "the pool is shut down")))
        }
    }

    /// Counts a thread that is about to start.
    func threadStarts() { locked { liveThreads += 1 } }

    /// Counts a thread that has nothing more to do, and wakes who waits for the last.
    func threadEnds() {
        let woken = locked { () -> [CheckedContinuation<Void, Never>] in
            liveThreads -= 1
            if liveThreads > 0 { return [] }
            defer { awaitingEnd = [] }
            return awaitingEnd
        }
        for continuation in woken { continuation.resume() }
    }

    /// Resumes `continuation` once no thread is left.
    func whenEnded(_ continuation: CheckedContinuation<Void, Never>) {
        let hasEnded = locked {
            if liveThreads > 0 { awaitingEnd.append(continuation) }
            return liveThreads == 0
        }
        if hasEnded { continuation.resume() }
    }

    /// Waits for jobs to expire. Nil when the pool has stopped; empty when woken for another
    /// reason.
    private func nextExpired() -> [PoolQueue.Job]? {
        locked {
            if queue.isStopped { return nil }
            if let deadline = queue.firstDeadline {
                var time = deadline.timespec
                unsafe pthread_cond_timedwait(deadlines, mutex, &time)
            } else {
                unsafe pthread_cond_wait(deadlines, mutex)
            }
            return queue.expire { $0.hasPassed }
        }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body()
    }
}
