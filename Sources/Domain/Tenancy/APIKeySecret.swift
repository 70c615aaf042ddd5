/// A whole API key as its holder presents it, or as it was just minted.
///
/// Noncopyable on purpose: it cannot be interpolated into a string, logged, compared with `==`, put
/// into a collection or encoded, because none of these compile. The bytes are overwritten when it
/// goes.
public struct APIKeySecret: ~Copyable, Sendable {
    private var bytes: [UInt8]

    /// Takes over the bytes of a key. The caller keeps no other copy.
    public init(bytes: consuming [UInt8]) { self.bytes = bytes }

    /// Lends the bytes, for hashing, or for showing them once on creation.
    public borrowing func withBytes<Result, Failure: Error>(
        _ body: (borrowing [UInt8]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes)
    }

    deinit {
        var leaving = bytes
        for index in leaving.indices { leaving[index] = 0 }
    }
}
