/// The elements of an array in their order; empty for a value that is no array.
public struct JSONElements: Sequence, Sendable {
    let array: JSONValue

    /// Starts before the first element.
    public func makeIterator() -> Iterator { Iterator(array) }

    /// The length of the array.
    public var underestimatedCount: Int { array.kind == .array ? array.count : 0 }

    /// Walks the elements.
    public struct Iterator: IteratorProtocol {
        private let storage: JSONStorage
        private var index: Int
        private let close: Int

        init(_ array: JSONValue) {
            storage = array.storage
            index = array.index + 1
            close = array.kind == .array ? storage.next(after: array.index) - 1 : index
        }

        /// The next element, or nil after the last.
        public mutating func next() -> JSONValue? {
            guard index < close else { return nil }
            defer { index = storage.next(after: index) }
            return JSONValue(storage: storage, index: index)
        }
    }
}

extension JSONValue {
    /// The elements of an array in their order; empty for a value that is no array.
    public var elements: JSONElements { JSONElements(array: self) }
}
