import Curl
import Domain

extension AddressPolicy {
    /// Holds a call's connections to the policy.
    func bind(_ request: inout CurlRequest) {
        request.permitsAddress = { bytes in
            // What is no IP address was not asked for.
            IPAddress(bytes: bytes).map { refusal(of: $0) == nil } ?? false
        }
    }
}
