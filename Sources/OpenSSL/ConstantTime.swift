import COpenSSL

/// Comparison whose duration says nothing about the contents.
public enum ConstantTime {
    /// Whether both have the same length and bytes.
    ///
    /// The time depends on the length only; that the lengths differ is not hidden.
    public static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        equal(left.span, right.span)
    }

    /// Whether both have the same length and bytes.
    ///
    /// The time depends on the length only; that the lengths differ is not hidden.
    public static func equal(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        if left.count == 0 { return true }
        return unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                unsafe CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
            }
        }
    }
}
