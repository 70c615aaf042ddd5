import JSON

/// A piece of a request that is JSON by contract, such as a schema: written anew from what was
/// parsed, so that it is well formed whatever its sender wrote.
struct JSONFragment: Sendable, Equatable {
    /// One JSON value.
    let bytes: [UInt8]

    /// The text of a parsed value.
    init(_ value: JSONValue) {
        var writer = JSONWriter(capacity: 256)
        writer.value(value)
        bytes = writer.finish()
    }
}
