/// Why the program could not start, in words for the person who started it.
struct StartupFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong and what to do about it; without secrets.
    let description: String

    init(_ description: String) { self.description = description }
}
