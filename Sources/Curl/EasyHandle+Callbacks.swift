internal import CCurl
internal import Glibc

/// What libcurl calls while it runs a transfer, on the loop thread.
extension EasyHandle {
    /// Registers the callbacks of this handle.
    func setCallbacks(_ options: inout EasyOptions) {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe options.set(CURLOPT_HEADERDATA, context)
        unsafe options.set(CURLOPT_WRITEDATA, context)
        unsafe options.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
            return unsafe EasyHandle.from(context).headerLineArrived(
                UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        unsafe options.set(CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
            return unsafe EasyHandle.from(context).bodyArrived(
                UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        // A connection inherited by a child process would stay open after the transfer was cut
        // off, and the upstream would go on working for nobody.
        unsafe options.setOpenSocket { _, _, address in
            guard let address = unsafe address?.pointee else { return CURL_SOCKET_BAD }
            return socket(
                address.family, address.socktype | CInt(SOCK_CLOEXEC.rawValue), address.protocol)
        }
    }

    /// The handle that was registered with a callback or as a handle's private pointer.
    static func from(_ context: UnsafeMutableRawPointer) -> EasyHandle {
        unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue()
    }

    /// Returns how many bytes were taken; fewer than there are gives the transfer up.
    private func headerLineArrived(_ line: UnsafeRawBufferPointer) -> Int {
        receivedResponse = true
        let step = unsafe line.withMemoryRebound(to: UInt8.self) { unsafe head.consume($0) }
        switch step {
        case .more: break
        case .complete(var head):
            var connections = 0
            // A failure leaves the answer "a new one", which promises less.
            let code = unsafe ccurl_easy_get_long(curl, CURLINFO_NUM_CONNECTS, &connections)
            head.usedPooledConnection = code == CURLE_OK && connections == 0
            progress.head = head
            deadlines?.progressed(at: loop.value.now)
            loop.value.watchDeadline(of: self)
            loop.value.mark(self)
        case .refused(let phase):
            refusal = phase
            return 0
        }
        return line.count
    }

    /// Returns how many bytes were taken, or that the transfer is to pause, in which case libcurl
    /// keeps the bytes and brings them again.
    private func bodyArrived(_ bytes: UnsafeRawBufferPointer) -> Int {
        let count = bytes.count
        guard let transfer, refusal == nil,
            count <= transfer.request.maximumResponseBytes - bodyBytes
        else {
            refusal = refusal ?? .tooLarge
            // Not zero, which libcurl would take for success if the piece is empty.
            return count + 1
        }
        let highWatermark = loop.value.configuration.highWatermark
        if bufferedBytes + progress.bytes.count >= highWatermark {
            // The consumer may have taken some of it since.
            bufferedBytes = transfer.bufferedBytes
            if bufferedBytes + progress.bytes.count >= highWatermark {
                isPaused = true
                progress.wasPaused = true
                deadlines?.paused()
                loop.value.mark(self)
                return Int(CURL_WRITEFUNC_PAUSE)
            }
        }
        bodyBytes += count
        unsafe progress.bytes.append(contentsOf: bytes)
        deadlines?.progressed(at: loop.value.now)
        loop.value.mark(self)
        return count
    }
}
