import Curl
import Domain

extension UpstreamTransport {
    /// Holds a call's connections to it.
    func bind(_ request: inout CurlRequest) {
        let addresses = addresses
        request.permitsAddress = { bytes in
            // What is no IP address was not asked for.
            IPAddress(bytes: bytes).map { addresses.refusal(of: $0) == nil } ?? false
        }
        request.certificateAuthorityFile = certificateAuthorityFile
        request.proxy = proxy
        // A connection that none other may use is none to share.
        let isShared = request.connection == .pooled && request.url.hasPrefix("https://")
        request.httpVersion = speaksHTTP2 && isShared ? .http2OverTLS : .http1
    }
}
