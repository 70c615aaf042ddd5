import NIOCore

/// Pads the chunks of a stream, so that whoever sees an encrypted stream go by, and nothing but the
/// lengths of its pieces, cannot tell a short token from a long one (`obfuscation`).
///
/// The part of a chunk that differs from others, and its padding, together have a multiple of 32
/// bytes. Only the length hides anything: the letters are encrypted like the text beside them, so
/// they need not be random.
enum ChunkPadding {
    private static let step = 32
    private static let letters: StaticString = "q7XvB2mLrT9cZ4hKdN6wJ0sGyP3fU8aE"

    /// Writes the member `obfuscation` behind what has `length` bytes, 1 to 32 letters long.
    static func write(beside length: Int, _ buffer: inout ByteBuffer) {
        buffer.writeStaticString(",\"obfuscation\":\"")
        let end = buffer.writerIndex + step - length % step
        buffer.writeStaticString(letters)
        buffer.moveWriterIndex(to: end)
        buffer.writeStaticString("\"")
    }
}
