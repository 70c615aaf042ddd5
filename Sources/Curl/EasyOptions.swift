internal import CCurl

/// Sets options of an easy handle and remembers the first one that was refused.
@safe struct EasyOptions {
    private let curl: UnsafeMutableRawPointer
    private(set) var firstFailure = CURLE_OK

    init(_ curl: UnsafeMutableRawPointer) { unsafe self.curl = curl }

    mutating func note(_ code: CURLcode) {
        if firstFailure == CURLE_OK { firstFailure = code }
    }

    mutating func set(_ option: CURLoption, _ value: Int) {
        note(unsafe ccurl_easy_set_long(curl, option, value))
    }

    mutating func set(_ option: CURLoption, _ value: Bool) { set(option, value ? 1 : 0) }

    mutating func set(_ option: CURLoption, _ value: String) {
        note(unsafe value.withCString { unsafe ccurl_easy_set_string(curl, option, $0) })
    }

    mutating func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer) {
        note(unsafe ccurl_easy_set_pointer(curl, option, value))
    }

    mutating func set(_ option: CURLoption, _ value: UnsafeMutablePointer<curl_slist>?) {
        note(unsafe ccurl_easy_set_list(curl, option, value))
    }

    mutating func set(_ option: CURLoption, _ callback: @escaping ccurl_data_callback) {
        note(unsafe ccurl_easy_set_data_callback(curl, option, callback))
    }

    mutating func setOpenSocket(_ callback: @escaping ccurl_open_socket_callback) {
        note(unsafe ccurl_easy_set_open_socket(curl, callback))
    }

    mutating func setBeforeRequest(_ callback: @escaping ccurl_before_request_callback) {
        note(unsafe ccurl_easy_set_before_request(curl, callback))
    }

    /// What holds for every request: nothing from the environment, nothing followed, no signals.
    mutating func setDefaults() {
        set(CURLOPT_NOSIGNAL, true)
        set(CURLOPT_FOLLOWLOCATION, false)
        set(CURLOPT_DISALLOW_USERNAME_IN_URL, true)
        set(CURLOPT_PATH_AS_IS, true)
        set(CURLOPT_TCP_NODELAY, true)
        // A long silence before the first token is normal; a vanished host should still be noticed.
        set(CURLOPT_TCP_KEEPALIVE, true)
        set(CURLOPT_TCP_KEEPIDLE, 30)
        set(CURLOPT_TCP_KEEPINTVL, 10)
        // The caller limits what it reads; an encoding it did not ask for is not unpacked here.
        set(CURLOPT_HTTP_CONTENT_DECODING, false)
        // Without it, ending a transfer whose name is being resolved waits for the resolver, and
        // every other transfer with it. The price is a resolver thread that ends by itself later.
        set(CURLOPT_QUICK_EXIT, true)
    }

    /// Where to and over which kind of connection.
    mutating func setConnection(_ request: CurlRequest) {
        set(CURLOPT_URL, request.url)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        if let path = request.unixSocketPath { set(CURLOPT_UNIX_SOCKET_PATH, path) }
        // Empty is none at all; unset would be what the environment says.
        set(CURLOPT_PROXY, request.proxy ?? "")
        set(CURLOPT_NOPROXY, "")
        if request.proxy != nil {
            set(CURLOPT_HTTPPROXYTUNNEL, true)
            // The proxy's own answer is not the upstream's.
            set(CURLOPT_SUPPRESS_CONNECT_HEADERS, true)
        }
        // Zero would mean libcurl's own default of five minutes.
        let connect = request.connectTimeout.wholeNanoseconds / 1_000_000
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(max(1, min(connect, Int64(Int32.max)))))
        // libcurl counts whole seconds and reuses a connection that is idle for less than one
        // second more than the number given.
        let age = request.maximumIdleAge.wholeNanoseconds / 1_000_000_000
        set(CURLOPT_MAXAGE_CONN, Int(max(0, min(age, Int64(Int32.max)) - 1)))
        if request.connection == .fresh || age == 0 { set(CURLOPT_FRESH_CONNECT, true) }
        if request.connection == .fresh { set(CURLOPT_FORBID_REUSE, true) }
        let version =
            switch request.httpVersion {
            case .http1: CURL_HTTP_VERSION_1_1
            case .http2OverTLS: CURL_HTTP_VERSION_2TLS
            }
        set(CURLOPT_HTTP_VERSION, Int(version))
        // Calls that begin at the same time share a connection, rather than open one each before
        // the first knows that it can be shared.
        if request.httpVersion == .http2OverTLS { set(CURLOPT_PIPEWAIT, true) }
        set(CURLOPT_SSL_VERIFYPEER, request.verifiesTLS)
        set(CURLOPT_SSL_VERIFYHOST, request.verifiesTLS ? 2 : 0)
        if let file = request.certificateAuthorityFile { set(CURLOPT_CAINFO, file) }
        if request.readsCertificate { set(CURLOPT_CERTINFO, true) }
    }

    /// The method, the body, and how large the answer may say it is.
    mutating func setMessage(_ request: CurlRequest) {
        // Zero would mean no limit; then the write callback is the one to refuse.
        let limit = max(1, request.maximumResponseBytes)
        note(unsafe ccurl_easy_set_offset(curl, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(limit)))
        switch request.method {
        case .get: set(CURLOPT_HTTPGET, true)
        case .post:
            set(CURLOPT_POST, true)
            let count = curl_off_t(request.body.count)
            note(unsafe ccurl_easy_set_offset(curl, CURLOPT_POSTFIELDSIZE_LARGE, count))
            // The request, and with it the body, lives as long as the handle runs it; libcurl is
            // still given a copy, because an array's address holds only inside the closure.
            let copied = unsafe request.body.withUnsafeBytes { bytes in
                unsafe withUnsafePointer(to: UInt8(0)) { nothing in
                    unsafe ccurl_easy_set_pointer(
                        curl, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress ?? UnsafeRawPointer(nothing)
                    )
                }
            }
            note(copied)
        }
    }
}
