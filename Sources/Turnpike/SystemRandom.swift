import OpenSSL

/// Random bits of libcrypto's generator.
enum SystemRandom {
    /// 64 bits fit for keys. A generator that cannot be seeded leaves nothing safe to go on with.
    static func bits() -> UInt64 {
        do {
            return try SecureRandom.uint64()
        } catch {
            preconditionFailure("libcrypto gives random bits: \(error)")
        }
    }
}
