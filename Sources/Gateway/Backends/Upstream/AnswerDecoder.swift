/// Reads an upstream's answer, whole or event by event. One per answer, not shared.
protocol AnswerDecoder: AnyObject {
    /// Reads the data of one event; nil if it says nothing that matters. Throws `malformed` for
    /// what is no event, and what an error inside of the stream means.
    func decodeChunk(_ data: ArraySlice<UInt8>) throws(BackendFailure) -> BackendEvent?

    /// Reads a whole answer into one event. Throws as `decodeChunk` does, and when there is no
    /// answer in it.
    func decodeAnswer(_ body: [UInt8]) throws(BackendFailure) -> BackendEvent

    /// Whether the stream's own mark of its end was read: what follows says nothing.
    var isEnded: Bool { get }

    /// Whether something was said and every choice said why it ended.
    var isFinished: Bool { get }

    /// Whether any choice was seen.
    var hasChoices: Bool { get }
}
