/// The key a backend wants to see. Cannot be printed: descriptions, mirrors and dumps show nothing
/// of it.
public struct UpstreamCredential: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    let bytes: [UInt8]

    /// Takes the bytes of a key; nil if it is empty or has a character that no header may have:
    /// blanks and control characters, such as the line feed at the end of a file, and everything
    /// beyond ASCII.
    public init?(bytes: [UInt8]) {
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        self.bytes = bytes
    }

    /// Nothing of the key.
    public var description: String { "[redacted]" }

    /// Nothing of the key.
    public var debugDescription: String { description }

    /// Nothing of the key.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }

    /// The value of the `Authorization` header.
    var bearer: String { "Bearer " + plain }

    /// The value of a header that holds nothing but the key.
    var plain: String { String(decoding: bytes, as: UTF8.self) }
}
