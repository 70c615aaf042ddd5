/// The members of an object in the order of the text; empty for a value that is no object.
public struct JSONMembers: Sequence, Sendable {
    let object: JSONValue

    /// Starts before the first member.
    public func makeIterator() -> Iterator { Iterator(object) }

    /// The number of members.
    public var underestimatedCount: Int { object.kind == .object ? object.count : 0 }

    /// Walks the members.
    public struct Iterator: IteratorProtocol {
        private let storage: JSONStorage
        private var index: Int
        private let close: Int

        init(_ object: JSONValue) {
            storage = object.storage
            index = object.index + 1
            close = object.kind == .object ? storage.next(after: object.index) - 1 : index
        }

        /// The next member, or nil after the last. A name of at most 15 bytes is made without
        /// allocating.
        public mutating func next() -> (key: String, value: JSONValue)? {
            guard index < close else { return nil }
            let key = unsafe String(decoding: storage.utf8(index), as: UTF8.self)
            let value = JSONValue(storage: storage, index: index + 1)
            index = storage.next(after: index + 1)
            return (key, value)
        }
    }
}

extension JSONValue {
    /// The members of an object in the order of the text; empty for a value that is no object.
    public var members: JSONMembers { JSONMembers(object: self) }
}
