internal import CCurl

/// One libcurl easy handle with the transfer it runs. Used on the loop thread only.
@safe final class EasyHandle {
    /// libcurl's handle.
    let curl: UnsafeMutableRawPointer

    /// The transfer that runs now.
    var transfer: Transfer?
    /// Its time limits.
    var deadlines: TransferDeadlines?
    /// What arrived since the loop last reported.
    var progress = TransferProgress()
    /// Whether the loop has been told that there is something to report.
    var isMarked = false
    /// Why a callback gave the transfer up, when it did.
    var refusal: CurlFailure.Phase?
    /// The last address that the request does not permit, as text.
    var forbiddenAddress: String?
    /// Whether any part of a response arrived.
    var receivedResponse = false
    /// How often the request was about to be sent.
    var sends = 0
    /// Whether libcurl was told to pause.
    var isPaused = false
    /// How many bytes waited for the consumer when the loop last reported; by now at most that.
    var bufferedBytes = 0

    /// How often a request is sent, where connections break before they have answered.
    static let mostSends = 2

    let loop: Unowned
    var head = ResponseHeadParser(maximumBytes: 0)
    var bodyBytes = 0

    private let errorText: UnsafeMutablePointer<CChar>
    private var fields: UnsafeMutablePointer<curl_slist>?
    private var scratch: [UInt8] = []

    /// The loop, which outlives its handles.
    struct Unowned { unowned let value: TransferLoop }

    /// Makes a handle, or nothing if libcurl has no memory.
    init?(loop: TransferLoop) {
        guard let curl = unsafe curl_easy_init() else { return nil }
        unsafe self.curl = curl
        self.loop = Unowned(value: loop)
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        unsafe curl_easy_cleanup(curl)
        unsafe curl_slist_free_all(fields)
        unsafe errorText.deallocate()
    }

    /// Takes on a transfer. Returns libcurl's complaint if an option was refused.
    func prepare(_ transfer: Transfer, at now: MonotonicInstant) -> CURLcode {
        let request = transfer.request
        self.transfer = transfer
        deadlines = TransferDeadlines(
            startedAt: now, firstByteTimeout: request.firstByteTimeout,
            idleTimeout: request.idleTimeout, totalTimeout: request.totalTimeout)
        head = ResponseHeadParser(maximumBytes: request.maximumHeaderBytes)
        unsafe errorText[0] = 0
        var options = unsafe EasyOptions(curl)
        unsafe options.set(CURLOPT_PRIVATE, Unmanaged.passUnretained(self).toOpaque())
        unsafe options.set(CURLOPT_ERRORBUFFER, errorText)
        setCallbacks(&options)
        options.setDefaults()
        options.setConnection(request)
        options.setMessage(request)
        setFields(request, &options)
        return options.firstFailure
    }

    /// Forgets the transfer, so that the handle can run another one.
    func reset() {
        unsafe curl_easy_reset(curl)
        unsafe curl_slist_free_all(fields)
        unsafe fields = nil
        transfer = nil
        deadlines = nil
        progress = TransferProgress()
        refusal = nil
        forbiddenAddress = nil
        receivedResponse = false
        sends = 0
        isPaused = false
        bufferedBytes = 0
        bodyBytes = 0
    }

    /// How the transfer ended, when libcurl ended it with `code`.
    func ending(_ code: CURLcode) -> TransferProgress.Ending {
        if let refusal {
            return .init(failure: CurlFailure(refusal, receivedResponse: receivedResponse))
        }
        guard code != CURLE_OK else { return .init(failure: nil) }
        // A host may have other addresses; only if none of them would do is this the reason.
        if let forbiddenAddress,
            code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK
        {
            return .init(
                failure: CurlFailure(
                    .forbiddenAddress, curlCode: Int(code.rawValue), receivedResponse: false,
                    detail: forbiddenAddress))
        }
        return .init(failure: failure(code))
    }

    /// libcurl's code and message as a failure.
    func failure(_ code: CURLcode) -> CurlFailure {
        var detail = unsafe String(cString: errorText)
        if detail.isEmpty { detail = unsafe String(cString: curl_easy_strerror(code)) }
        return CurlFailure(
            CurlFailure.Phase(code), curlCode: Int(code.rawValue),
            receivedResponse: receivedResponse, detail: detail)
    }

    private func setFields(_ request: CurlRequest, _ options: inout EasyOptions) {
        var hasEncoding = false
        var hasType = false
        for (name, value) in request.headers {
            append(name: name, value: value, &options)
            hasEncoding =
                hasEncoding || name.utf8.count == 15 && name.lowercased() == "accept-encoding"
            hasType = hasType || name.utf8.count == 12 && name.lowercased() == "content-type"
        }
        if !hasEncoding { append(name: "Accept-Encoding", value: "identity", &options) }
        // A name with a colon and nothing else takes away what libcurl would send by itself.
        if request.method == .post {
            append("Expect:", &options)
            if !hasType { append("Content-Type:", &options) }
        }
        unsafe options.set(CURLOPT_HTTPHEADER, fields)
    }

    private func append(name: String, value: String, _ options: inout EasyOptions) {
        let isBlank = value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 }
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: name.utf8)
        // libcurl's way of writing a field that is present and empty.
        scratch.append(contentsOf: (isBlank ? ";" : ": ").utf8)
        if !isBlank { scratch.append(contentsOf: value.utf8) }
        scratch.append(0)
        unsafe scratch.withUnsafeBufferPointer { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { text in
                unsafe append(pointer: text.baseAddress, &options)
            }
        }
    }

    private func append(_ line: String, _ options: inout EasyOptions) {
        unsafe line.withCString { unsafe append(pointer: $0, &options) }
    }

    private func append(pointer: UnsafePointer<CChar>?, _ options: inout EasyOptions) {
        guard let list = unsafe curl_slist_append(fields, pointer) else {
            return options.note(CURLE_OUT_OF_MEMORY)
        }
        unsafe fields = list
    }
}
