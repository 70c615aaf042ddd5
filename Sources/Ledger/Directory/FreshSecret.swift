import Domain
import OpenSSL

/// A secret that was just made, with what is stored of it.
struct FreshSecret: ~Copyable {
    let id: KeyID
    /// Under the pepper that it was made with.
    let digest: [UInt8]
    let last4: String
    /// The only copy.
    let secret: APIKeySecret

    /// Makes a key of 256 random bits in `shard`.
    init(shard: Shard, prefix: String, pepper: Pepper, random: LedgerRandom) {
        id = KeyID(shard: shard, random: random.bits())
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for _ in 0..<4 {
            let number = random.bits()
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
            }
        }
        defer { Zeroise.erase(&bytes) }
        secret = APIKeyFormat.write(prefix: prefix, id: id, secret: bytes)
        (digest, last4) = secret.withBytes { token in
            (pepper.digest(of: token), String(decoding: token.suffix(4), as: UTF8.self))
        }
    }

    /// Hands over the secret alone.
    consuming func takeSecret() -> APIKeySecret { secret }
}
