import COpenSSL

/// Erasure that the compiler may not leave out.
public enum Zeroise {
    /// Overwrites every byte with zero.
    ///
    /// Erases the storage of this variable. If another variable shares the array, Swift copies it
    /// first and the other one keeps its bytes, so hold secrets in one place.
    public static func erase(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe OPENSSL_cleanse(buffer.baseAddress, buffer.count)
        }
    }
}
