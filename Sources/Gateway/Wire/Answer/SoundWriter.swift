import JSON

/// Writes `audio` of a message or a delta.
enum SoundWriter {
    /// Writes all of an answer's sound; what the upstream did not tell is empty.
    static func write(whole sound: SoundPiece, _ writer: inout JSONWriter) {
        write(
            SoundPiece(
                id: sound.id ?? "", data: sound.data ?? "", transcript: sound.transcript ?? "",
                expiresAt: sound.expiresAt ?? 0), &writer)
    }

    /// Writes a piece of it: what it tells and nothing else.
    static func write(_ sound: SoundPiece, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", sound.id)
        writer.member("data", sound.data)
        writer.member("transcript", sound.transcript)
        if let expiresAt = sound.expiresAt {
            writer.key("expires_at")
            writer.integer(expiresAt)
        }
        writer.endObject()
    }
}
