import Domain
import OpenSSL

/// The secret under which every key's digest is made. The database does not have it, so neither a
/// leak of the database lets anybody test guesses, nor can a writer to it mint keys.
///
/// Cannot be printed, dumped or encoded. The bytes live inside OpenSSL's context only.
public struct Pepper: Sendable {
    /// The least number of bytes.
    public static let minimumBytes = 32

    /// Names the pepper in key records, so that a new one can be brought in while the old one still
    /// serves.
    public let id: Int16
    private let mac: HMACSHA256

    /// Takes the bytes of a pepper. Erase your copy.
    ///
    /// Throws `invalid` when there are fewer than 32 bytes, or when they are all the same.
    public init(id: Int16, bytes: [UInt8]) throws(LedgerError) {
        guard bytes.count >= Self.minimumBytes else {
            throw .invalid("a pepper has at least \(Self.minimumBytes) bytes")
        }
        guard bytes.contains(where: { $0 != bytes[0] }) else {
            throw .invalid("a pepper is random: this one repeats one byte")
        }
        do throws(OpenSSLError) {
            mac = try HMACSHA256(key: bytes)
        } catch {
            throw .invalid("the pepper cannot be used: \(error)")
        }
        self.id = id
    }

    /// The digest stored for a key: HMAC-SHA-256 of `v1`, a zero byte and the whole token.
    func digest(of token: borrowing [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: HMACSHA256.byteCount)
        var span = digest.mutableSpan
        write(digestOf: token, to: &span)
        return digest
    }

    /// Whether `digest` is the token's. The token has the form of a key. Takes the same time
    /// wherever they differ; allocates nothing.
    func verify(_ token: borrowing [UInt8], against digest: [UInt8]) -> Bool {
        var computed = InlineArray<32, UInt8>(repeating: 0)
        var span = computed.mutableSpan
        write(digestOf: token, to: &span)
        return ConstantTime.equal(computed.span, digest.span)
    }

    /// A key for another purpose than keys' digests: HMAC-SHA-256 of the purpose's words, which no
    /// token of a key begins with, under the pepper. Nobody who has the one has the other.
    func derived(for purpose: StaticString) -> HMACSHA256 {
        let key = mac.authenticate(Array("derive\0\(purpose)".utf8))
        do throws(OpenSSLError) {
            return try HMACSHA256(key: key)
        } catch {
            preconditionFailure("libcrypto took the pepper and refuses a key of 32 bytes: \(error)")
        }
    }

    private func write(digestOf token: borrowing [UInt8], to digest: inout MutableSpan<UInt8>) {
        precondition(
            token.count <= APIKeyFormat.maximumLength, "a token is parsed before it is hashed")
        var message = InlineArray<96, UInt8>(repeating: 0)
        message[0] = UInt8(ascii: "v")
        message[1] = UInt8(ascii: "1")
        let count = token.count
        for index in 0..<count { message[3 + index] = token[index] }
        mac.authenticate(message.span.extracting(0..<(3 + count)), into: &digest)
        // The token does not stay behind on the stack.
        for index in 0..<count { message[3 + index] = 0 }
    }
}

extension Pepper: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always `[pepper]`.
    public var description: String { "[pepper]" }
    /// Always `[pepper]`.
    public var debugDescription: String { "[pepper]" }
    /// Shows nothing to `dump`.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
