import ArgumentParser
import Domain

/// A key id on the command line.
///
/// Read in two steps, because the argument parser repeats a value that it cannot read: were that a
/// whole key, which somebody took for its id, it would stand in an error and in whatever keeps
/// errors.
struct KeyArgument: Sendable {
    private let id: KeyID?

    /// Takes what was typed; keeps nothing of what is no key id.
    @Sendable init(_ text: String) { id = KeyID(text) }

    /// The key id; refuses anything else without repeating it.
    func check() throws(ValidationError) -> KeyID {
        guard let id else {
            throw ValidationError(
                "A key id has 11 letters and digits, such as 3kTMd92Zx0q; a whole key is not one.")
        }
        return id
    }
}
