import COpenSSL
import Synchronization

/// HMAC-SHA-256 (RFC 2104) under one key, for many messages from many threads.
///
/// The key is set once. Contexts that already hold it are kept in a small pool and reused, because
/// looking up the algorithm and hashing the key pads again costs several times the message itself.
/// A context is taken and returned under the lock and used outside it, so threads never wait for
/// each other's hashing.
///
/// After the key is accepted nothing can fail but memory, which traps; hence no `throws`.
public final class HMACSHA256: Sendable {
    /// The size of a tag in bytes.
    public static let byteCount = 32

    /// Contexts kept for reuse. More threads than this at one instant make their own and free it.
    private static let mostIdle = 64

    /// Never used for a message, so it can be duplicated from any thread, under the lock.
    private let template: MACContext
    private let idle: Mutex<[MACContext]>

    /// Takes `key`, which is copied; erase your copy with `Zeroise`.
    ///
    /// Throws when the key is empty, since a tag under an empty key proves nothing, and when
    /// libcrypto refuses.
    public init(key: [UInt8]) throws(OpenSSLError) {
        guard !key.isEmpty else {
            throw .refused("setting an HMAC key", because: "the key is empty")
        }
        template = try MACContext(key: key)
        idle = Mutex([])
    }

    /// Returns the 32-byte tag of `message`.
    public func authenticate(_ message: [UInt8]) -> [UInt8] { authenticate(message.span) }

    /// Returns the 32-byte tag of `message`.
    public func authenticate(_ message: Span<UInt8>) -> [UInt8] {
        unsafe message.withUnsafeBytes { message in
            unsafe makeTag { unsafe authenticate(message, into: $0) }
        }
    }

    /// Returns the 32-byte tag of the parts one after the other.
    ///
    /// The boundaries are not part of the message: `["ab", "c"]` and `["a", "bc"]` have the same
    /// tag. Callers for whom that matters put lengths or separators between the parts.
    public func authenticate(parts: [[UInt8]]) -> [UInt8] {
        unsafe makeTag { tag in
            let context = take()
            context.begin()
            for part in parts { unsafe part.withUnsafeBytes { unsafe context.update($0) } }
            unsafe context.finish(into: tag)
            giveBack(context)
        }
    }

    /// Writes the tag of `message` to `tag`, which must have exactly 32 bytes. Allocates nothing.
    public func authenticate(_ message: Span<UInt8>, into tag: inout MutableSpan<UInt8>) {
        unsafe tag.withUnsafeMutableBytes { tag in
            unsafe message.withUnsafeBytes { message in
                unsafe authenticate(message, into: tag)
            }
        }
    }

    /// Writes the tag of `message` to `tag`, which must have exactly 32 bytes. Allocates nothing.
    public func authenticate(
        _ message: UnsafeRawBufferPointer, into tag: UnsafeMutableRawBufferPointer
    ) {
        let context = take()
        context.begin()
        unsafe context.update(message)
        unsafe context.finish(into: tag)
        giveBack(context)
    }

    private func makeTag(_ fill: (UnsafeMutableRawBufferPointer) -> Void) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
            unsafe fill(
                UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: Self.byteCount))
            count = Self.byteCount
        }
    }

    private func take() -> MACContext {
        idle.withLock { idle in idle.popLast() ?? template.duplicate() }
    }

    private func giveBack(_ context: MACContext) {
        idle.withLock { idle in
            if idle.count < Self.mostIdle { idle.append(context) }
        }
    }
}
