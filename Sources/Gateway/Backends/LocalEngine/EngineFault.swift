/// Why the engine's process could not be started. The text is for the operator.
struct EngineFault: Error, Sendable, Equatable, CustomStringConvertible {
    let description: String

    /// A fault told by a sentence.
    init(_ description: String) { self.description = description }
}
