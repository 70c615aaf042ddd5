/// A parsed text. Immutable and free to cross tasks; it lives as long as it, or any value of it, is
/// held.
///
/// The parser that made it writes into its memory again only once nobody holds it, so it never
/// changes under a reader: a hot loop that drops each document before the next parse allocates
/// nothing.
public struct JSONDocument: Sendable {
    let storage: JSONStorage

    /// The value that is the whole text.
    public var root: JSONValue { JSONValue(storage: storage, index: 1) }

    /// The member of the root object named `key`; nil if there is none or the root is no object.
    public subscript(key: String) -> JSONValue? { root[key] }

    /// The memory held by the document, in bytes.
    public var footprint: Int { storage.footprint }
}
