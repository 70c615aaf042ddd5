import COpenSSL

/// What is fetched from libcrypto once and used for the life of the process.
enum Library {
    /// Prepares libcrypto, once.
    ///
    /// Without its exit handler: the handler would free the library's tables while other threads
    /// still hash, and a process that is exiting would crash instead.
    static let isReady: Bool =
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) == 1
}

/// An algorithm fetched from libcrypto. It never changes and is never freed.
///
/// `@unchecked Sendable` because a fetched `EVP_MD` is immutable and its reference count, which is
/// all that its users touch, is atomic.
@safe
struct FetchedDigest: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Fetches the digest of that name from libcrypto's providers.
    init(named name: String) throws(OpenSSLError) {
        precondition(Library.isReady, "libcrypto cannot be initialised")
        guard let pointer = unsafe EVP_MD_fetch(nil, name, nil) else {
            throw .drainingQueue("finding a digest")
        }
        unsafe self.pointer = pointer
    }

    /// SHA-256. A libcrypto without it cannot run this program at all, hence the trap.
    static let sha256: FetchedDigest = {
        do throws(OpenSSLError) {
            return try FetchedDigest(named: "SHA256")
        } catch {
            preconditionFailure("libcrypto offers no SHA-256: \(error.debugDescription)")
        }
    }()
}
