internal import CCurl
internal import Glibc

/// An epoll instance, level-triggered. Used on the loop thread only, once it is made.
struct Poller {
    /// A descriptor that is ready, and for what in libcurl's flags.
    struct Event {
        let descriptor: CInt
        let flags: CInt
    }

    private let descriptor: CInt
    private static let eventsPerWait = 256

    /// Makes an instance that watches one descriptor for reading from the start.
    init(reading first: CInt) throws(CurlFailure) {
        descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard descriptor >= 0 else {
            throw CurlFailure(.internalError, detail: "epoll_create1 failed with errno \(errno)")
        }
        guard watch(first, reads: true, writes: false, isKnown: false) else {
            let code = errno
            close()
            throw CurlFailure(.internalError, detail: "epoll_ctl failed with errno \(code)")
        }
    }

    /// Watches a descriptor, or changes for what. Returns whether the system agreed.
    func watch(_ watched: CInt, reads: Bool, writes: Bool, isKnown: Bool) -> Bool {
        var event = unsafe epoll_event()
        unsafe event.events =
            (reads ? EPOLLIN.rawValue | EPOLLRDHUP.rawValue : 0) | (writes ? EPOLLOUT.rawValue : 0)
        unsafe event.data.fd = watched
        if unsafe epoll_ctl(descriptor, isKnown ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watched, &event)
            == 0
        {
            return true
        }
        // A descriptor that was closed and opened again under the same number may be known to one
        // side and not to the other.
        switch errno {
        case ENOENT: return unsafe epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0
        case EEXIST: return unsafe epoll_ctl(descriptor, EPOLL_CTL_MOD, watched, &event) == 0
        default: return false
        }
    }

    /// Stops watching. One that is closed already is not watched any more, so errors mean nothing.
    func forget(_ watched: CInt) {
        var event = unsafe epoll_event()
        _ = unsafe epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, &event)
    }

    /// Waits until something is ready or the time is over.
    func wait(milliseconds: CInt) -> [Event] {
        unsafe withUnsafeTemporaryAllocation(
            of: epoll_event.self, capacity: Self.eventsPerWait
        ) { events in
            let count = unsafe epoll_wait(
                descriptor, events.baseAddress, CInt(Self.eventsPerWait), milliseconds)
            // Interrupted by a signal, at worst: the caller's next round comes at once.
            guard count > 0 else { return [] }
            return (0..<Int(count)).map { index in
                let ready = unsafe events[index].events
                var flags: CInt = 0
                if ready & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0 {
                    flags |= CURL_CSELECT_IN
                }
                if ready & EPOLLOUT.rawValue != 0 { flags |= CURL_CSELECT_OUT }
                if ready & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
                    flags |= CURL_CSELECT_ERR
                }
                return unsafe Event(descriptor: events[index].data.fd, flags: flags)
            }
        }
    }

    /// Ends the instance.
    func close() { Glibc.close(descriptor) }
}
