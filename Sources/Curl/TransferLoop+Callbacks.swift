internal import CCurl

/// What libcurl calls to say which descriptors and which time it waits for, on the loop thread.
extension TransferLoop {
    /// Registers the callbacks, and how many connections are kept.
    func installCallbacks() {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_multi_set_long(
            multi, CURLMOPT_MAXCONNECTS, configuration.maximumIdleConnections)
        unsafe ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
        unsafe ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context)
        unsafe ccurl_multi_set_socket_callback(multi) { _, descriptor, what, context, known in
            guard let context = unsafe context else { return -1 }
            return unsafe TransferLoop.from(context).watch(
                descriptor, what: what, isKnown: known != nil)
        }
        unsafe ccurl_multi_set_timer_callback(multi) { _, milliseconds, context in
            guard let context = unsafe context else { return -1 }
            let loop = unsafe TransferLoop.from(context)
            loop.timerDeadline =
                milliseconds < 0
                ? nil : loop.now.advanced(byNanoseconds: Int64(milliseconds) * 1_000_000)
            return 0
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer) -> TransferLoop {
        unsafe Unmanaged<TransferLoop>.fromOpaque(context).takeUnretainedValue()
    }

    /// Watches a descriptor for what libcurl waits for. Zero is success.
    private func watch(_ descriptor: CInt, what: CInt, isKnown: Bool) -> CInt {
        switch what {
        case CURL_POLL_REMOVE:
            poller.forget(descriptor)
            return 0
        default:
            if !isKnown {
                // Any pointer but nil: it tells that the descriptor is already watched.
                unsafe curl_multi_assign(
                    multi, descriptor, Unmanaged.passUnretained(self).toOpaque())
            }
            return poller.watch(
                descriptor, reads: what & CURL_POLL_IN != 0, writes: what & CURL_POLL_OUT != 0,
                isKnown: isKnown) ? 0 : -1
        }
    }
}
