import Domain
import NIOHTTP1

/// Proves who is calling from the `Authorization` header.
enum BearerAuthentication {
    /// The longest header value that is looked at, in bytes.
    static let longestValue = 128

    /// Checks the header.
    ///
    /// Exactly one field is taken. Two of them are a request that two servers may read differently,
    /// so it is refused as malformed (400 `duplicate_header`) rather than as a wrong key: no key of
    /// it is looked at.
    ///
    /// - Parameter source: the client's address without port, to bound how many unknown keys it
    ///   may try.
    static func authenticate(
        _ headers: HTTPHeaders, from source: String, with directory: any KeyDirectory
    ) async throws(GatewayFailure) -> Principal {
        let secret = try secret(in: headers)
        let authentication: Authentication
        do {
            authentication = try await directory.authenticate(secret, from: source)
        } catch {
            throw .directoryUnavailable
        }
        switch authentication {
        case .principal(let principal): return principal
        case .refused: throw .keyRefused
        case .suspended(let kind): throw .keySuspended(kind)
        case .throttled(let retryAfter): throw .keyThrottled(retryAfter: retryAfter)
        }
    }

    private static func secret(in headers: HTTPHeaders) throws(GatewayFailure) -> APIKeySecret {
        let fields = headers["authorization"]
        guard let field = fields.first else { throw .keyMissing }
        guard fields.count == 1 else {
            throw .invalidRequest(
                RequestFault(
                    "The request has more than one Authorization header.", parameter: nil,
                    code: .duplicateHeader))
        }
        let bytes = field.utf8
        guard bytes.count <= longestValue else { throw .keyRefused }
        let scheme = bytes.prefix { $0 != UInt8(ascii: " ") }
        guard scheme.count == 6, String(scheme)?.lowercased() == "bearer" else { throw .keyRefused }
        let token = bytes.dropFirst(6).drop { $0 == UInt8(ascii: " ") }
        guard !token.isEmpty else { throw .keyMissing }
        return APIKeySecret(bytes: Array(token))
    }
}
