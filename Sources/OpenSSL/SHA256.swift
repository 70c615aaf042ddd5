import COpenSSL

/// SHA-256 (FIPS 180-4), in one call or piece by piece.
///
/// Piecewise: make one, `update` it with each piece, and take the digest with `finalize`, which
/// consumes it, so that a finished hash cannot be fed by mistake. Failing is not in the signatures:
/// libcrypto's SHA-256 fails only when the process has no memory left, and then it traps here as it
/// would in Swift.
@safe
public struct SHA256: ~Copyable {
    /// The size of a digest in bytes.
    public static let byteCount = 32

    private let context: OpaquePointer

    /// Starts a hash of nothing.
    public init() {
        guard let context = unsafe EVP_MD_CTX_new() else {
            preconditionFailure("no memory for a SHA-256 context")
        }
        unsafe self.context = context
        let started = unsafe EVP_DigestInit_ex(context, FetchedDigest.sha256.pointer, nil)
        precondition(started == 1, "libcrypto could not start SHA-256")
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Appends `bytes` to what is hashed.
    public mutating func update(_ bytes: Span<UInt8>) {
        let updated = unsafe bytes.withUnsafeBytes { unsafe feed($0) }
        precondition(updated == 1, "libcrypto could not continue SHA-256")
    }

    /// Appends `bytes` to what is hashed.
    public mutating func update(_ bytes: [UInt8]) { update(bytes.span) }

    /// Returns the 32-byte digest of everything appended.
    public consuming func finalize() -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
            let finished = unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
            precondition(finished == 1, "libcrypto could not finish SHA-256")
            count = Self.byteCount
        }
    }

    private func feed(_ bytes: UnsafeRawBufferPointer) -> CInt {
        unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }
}

extension SHA256 {
    /// Returns the 32-byte digest of `bytes`.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] { hash(bytes.span) }

    /// Returns the 32-byte digest of `bytes`.
    public static func hash(_ bytes: Span<UInt8>) -> [UInt8] {
        unsafe bytes.withUnsafeBytes { unsafe hash($0) }
    }

    /// Returns the 32-byte digest of `bytes`.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            let hashed = unsafe EVP_Digest(
                bytes.baseAddress, bytes.count, buffer.baseAddress, nil,
                FetchedDigest.sha256.pointer, nil)
            precondition(hashed == 1, "libcrypto could not hash with SHA-256")
            count = byteCount
        }
    }
}
