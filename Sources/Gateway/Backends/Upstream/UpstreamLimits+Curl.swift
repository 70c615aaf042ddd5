import Curl

extension UpstreamLimits {
    /// Sets the limits of a call.
    func bind(_ request: inout CurlRequest) {
        request.connectTimeout = connectTimeout
        request.firstByteTimeout = firstByteTimeout
        request.idleTimeout = idleTimeout
        request.totalTimeout = totalTimeout
        request.maximumResponseBytes = maximumResponseBytes
    }
}
