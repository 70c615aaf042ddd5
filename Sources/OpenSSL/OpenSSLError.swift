import COpenSSL

/// A failure inside libcrypto, or a use of it that cannot be right.
///
/// Carries what the library's error queue of this thread said, as values, so that nothing is left
/// behind for the next caller to misread. Contains no key and no message.
public struct OpenSSLError: Error, Sendable, Hashable {
    /// One entry of the library's error queue.
    public struct Reason: Sendable, Hashable {
        /// The packed library and reason number; 0 for a reason of our own.
        public let code: UInt
        /// The library's own words for it.
        public let text: String
    }

    /// What was being done, in the words of this wrapper.
    public let operation: String
    /// The queue from the oldest entry to the newest; may be empty.
    public let reasons: [Reason]

    /// Makes the error for `operation` from this thread's error queue, which is empty afterwards.
    static func drainingQueue(_ operation: String) -> OpenSSLError {
        var reasons: [Reason] = []
        // The queue holds sixteen entries at most; the bound keeps a broken library from looping
        // us.
        while reasons.count < 32 {
            let code = ERR_get_error()
            if code == 0 { break }
            reasons.append(Reason(code: UInt(code), text: text(of: code)))
        }
        return OpenSSLError(operation: operation, reasons: reasons)
    }

    /// Makes the error for a call that was refused before the library was asked.
    static func refused(_ operation: String, because text: String) -> OpenSSLError {
        OpenSSLError(operation: operation, reasons: [Reason(code: 0, text: text)])
    }

    private static func text(of code: CUnsignedLong) -> String {
        // 256 bytes is the size the library's manual asks for; longer texts are cut.
        var buffer = [CChar](repeating: 0, count: 256)
        let capacity = buffer.count
        unsafe buffer.withUnsafeMutableBufferPointer { pointer in
            unsafe ERR_error_string_n(code, pointer.baseAddress, capacity)
        }
        let text = buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        return String(decoding: text, as: UTF8.self)
    }
}

extension OpenSSLError: CustomStringConvertible, CustomDebugStringConvertible {
    /// What failed, without the library's detail.
    public var description: String { "cryptography failed: \(operation)" }

    /// What failed and everything the library said about it.
    public var debugDescription: String {
        let detail = reasons.map(\.text).joined(separator: "; ")
        return detail.isEmpty ? description : "\(description): \(detail)"
    }
}
