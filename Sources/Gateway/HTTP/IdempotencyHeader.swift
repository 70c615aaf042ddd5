import Domain
import NIOCore
import NIOHTTP1
import OpenSSL

/// The `Idempotency-Key` of a request.
enum IdempotencyHeader {
    /// In lower case, as headers are compared.
    static let name = "idempotency-key"
    /// The longest value, in bytes.
    static let longestValue = 255

    /// The request's claim on the key that it came with; nil without one.
    ///
    /// Two requests are the same when their paths and the bytes of their bodies are.
    static func claim(
        in request: ReceivedRequest, from principal: Principal, _ requestID: RequestID
    ) throws(GatewayFailure) -> IdempotencyClaim? {
        guard request.head.headers.contains(name: name) else { return nil }
        let fields = request.head.headers[name]
        guard fields.count == 1, let value = fields.first else {
            throw fault(
                "The request has more than one Idempotency-Key header.", .duplicateHeader)
        }
        let bytes = Array(value.utf8)
        guard (1...longestValue).contains(bytes.count),
            bytes.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw fault(
                "The Idempotency-Key must be 1 to \(longestValue) visible ASCII characters.",
                .invalidIdempotencyKey)
        }
        var hash = SHA256()
        hash.update(Array(Routes.path(of: request.head.uri).utf8))
        hash.update([0])
        hash.update(request.body.readableBytesUInt8Span)
        return IdempotencyClaim(
            shard: principal.shard, key: principal.key, nameDigest: SHA256.hash(bytes),
            fingerprint: hash.finalize(), requestID: requestID)
    }

    private static func fault(_ message: String, _ code: RequestFault.Code) -> GatewayFailure {
        .invalidRequest(RequestFault(message, parameter: nil, code: code))
    }
}
