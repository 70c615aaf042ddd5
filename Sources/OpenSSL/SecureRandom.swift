import COpenSSL

/// Random bytes fit for keys, from libcrypto's generator.
public enum SecureRandom {
    /// The most bytes one call gives: far more than any key, and a bound on a mistaken count.
    public static let mostBytes = 1 << 20

    /// Returns `count` random bytes, 0 to `mostBytes`.
    ///
    /// Throws when the generator could not be seeded or the count is out of range; there is no
    /// weaker source to fall back on.
    public static func bytes(_ count: Int) throws(OpenSSLError) -> [UInt8] {
        guard (0...mostBytes).contains(count) else {
            throw .refused("making random bytes", because: "the count \(count) is out of range")
        }
        var bytes = [UInt8](repeating: 0, count: count)
        try fill(&bytes)
        return bytes
    }

    /// Returns a random number, every value as likely.
    public static func uint64() throws(OpenSSLError) -> UInt64 {
        try bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Returns a random number, every value as likely.
    public static func uint128() throws(OpenSSLError) -> UInt128 {
        try bytes(16).reduce(0) { $0 << 8 | UInt128($1) }
    }

    private static func fill(_ bytes: inout [UInt8]) throws(OpenSSLError) {
        precondition(Library.isReady, "libcrypto cannot be initialised")
        if bytes.isEmpty { return }
        let filled = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            unsafe RAND_bytes_ex(nil, buffer.baseAddress, buffer.count, 0)
        }
        guard filled == 1 else { throw .drainingQueue("making random bytes") }
    }
}
