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
        unsafe options.set(CURLOPT_OPENSOCKETDATA, context)
        unsafe options.setOpenSocket { context, _, address in
            guard let address = unsafe address, let context = unsafe context,
                unsafe EasyHandle.from(context).permits(address)
            else { return CURL_SOCKET_BAD }
            let (family, kind) = unsafe (address.pointee.family, address.pointee.socktype)
            return unsafe socket(
                family, kind | CInt(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
        }
        // A pooled connection may have been opened for a request that permits more, and the server
        // may have closed it while nothing was on it.
        unsafe options.set(CURLOPT_PREREQDATA, context)
        unsafe options.setBeforeRequest { context, remote, _, _, _ in
            guard let context = unsafe context, let remote = unsafe remote,
                unsafe EasyHandle.from(context).permits(text: remote),
                unsafe EasyHandle.from(context).maySend()
            else { return CURL_PREREQFUNC_ABORT }
            return CURL_PREREQFUNC_OK
        }
    }

    /// Whether the request may be sent (again).
    ///
    /// Where a pooled connection breaks without a byte, libcurl sends the request on another, up to
    /// six times. Once is right: a server closes idle connections, and may do so just as one is
    /// used. A second time it is the server that breaks what it was sent, and each sending may cost
    /// what a completion costs.
    private func maySend() -> Bool {
        sends += 1
        guard sends > Self.mostSends else { return true }
        refusal = .receive
        return false
    }

    private func permits(_ address: UnsafePointer<curl_sockaddr>) -> Bool {
        unsafe permits { unsafe ccurl_copy_address(address, $0) }
    }

    private func permits(text: UnsafePointer<CChar>) -> Bool {
        unsafe permits { unsafe ccurl_read_address(text, $0) }
    }

    /// Whether the request permits the address that `copy` writes, whose length it returns.
    private func permits(_ copy: (UnsafeMutablePointer<UInt8>) -> CInt) -> Bool {
        guard let request = transfer?.request, let permits = request.permitsAddress,
            request.unixSocketPath == nil, request.proxy == nil
        else { return true }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            count = unsafe Int(copy(start))
        }
        guard !permits(bytes) else { return true }
        forbiddenAddress = Self.text(of: bytes)
        return false
    }

    private static func text(of address: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = address.count == 16 ? AF_INET6 : AF_INET
        guard !address.isEmpty,
            unsafe inet_ntop(family, address, &text, socklen_t(text.count)) != nil
        else { return "no IP address" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
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
            if transfer?.request.readsCertificate == true {
                head.certificateExpiry = certificateExpiry
            }
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

    /// What the server's own certificate says of its end.
    private var certificateExpiry: String? {
        var text = [CChar](repeating: 0, count: 64)
        guard unsafe ccurl_certificate_field(curl, "Expire date:", &text, text.count) == 1 else {
            return nil
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
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
