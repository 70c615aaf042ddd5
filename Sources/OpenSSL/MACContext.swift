import COpenSSL

/// One libcrypto HMAC context that keeps its key between messages.
///
/// `@unchecked Sendable` because `HMACSHA256` hands each context to one thread at a time; the type
/// itself has no lock.
@safe
final class MACContext: @unchecked Sendable {
    private let pointer: OpaquePointer

    /// Makes a context for `key`, which is copied into it and erased when it is freed.
    init(key: [UInt8]) throws(OpenSSLError) {
        precondition(Library.isReady, "libcrypto cannot be initialised")
        let made = unsafe key.withUnsafeBufferPointer { key in
            unsafe turnpike_hmac_sha256_new(key.baseAddress, key.count)
        }
        guard let pointer = unsafe made else { throw .drainingQueue("making an HMAC context") }
        unsafe self.pointer = pointer
    }

    private init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe EVP_MAC_CTX_free(pointer) }

    /// Makes another context with the same key.
    func duplicate() -> MACContext {
        guard let copy = unsafe EVP_MAC_CTX_dup(pointer) else {
            preconditionFailure("no memory for an HMAC context")
        }
        return unsafe MACContext(owning: copy)
    }

    /// Begins a new message under the key that is already set, which is what makes reuse cheap.
    func begin() {
        let begun = unsafe EVP_MAC_init(pointer, nil, 0, nil)
        precondition(begun == 1, "libcrypto could not start HMAC-SHA-256")
    }

    /// Appends `bytes` to the message.
    func update(_ bytes: UnsafeRawBufferPointer) {
        // libcrypto takes an absent pointer for "no message" in some versions; an empty piece adds
        // nothing.
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        let updated = unsafe EVP_MAC_update(
            pointer, start.assumingMemoryBound(to: UInt8.self), bytes.count)
        precondition(updated == 1, "libcrypto could not continue HMAC-SHA-256")
    }

    /// Writes the 32-byte tag of the message to `tag`, which must have room for it.
    func finish(into tag: UnsafeMutableRawBufferPointer) {
        precondition(tag.count == HMACSHA256.byteCount, "an HMAC-SHA-256 tag has 32 bytes")
        var written = 0
        let start = unsafe tag.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let finished = unsafe EVP_MAC_final(pointer, start, &written, tag.count)
        precondition(
            finished == 1 && written == tag.count, "libcrypto could not finish HMAC-SHA-256")
    }
}
