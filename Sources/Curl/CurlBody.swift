/// The body of a response as it arrives, for one consumer.
///
/// Each element is everything that was buffered when it was asked for, in one piece and never
/// empty. The consumer's pace is the transfer's: when too much is buffered, the upstream is not
/// read from. The transfer ends when its iterator is dropped, when the consuming task is cancelled,
/// and when the body is dropped without having been iterated.
public struct CurlBody: AsyncSequence, Sendable {
    /// Pieces of the body.
    public typealias Element = [UInt8]
    /// Why the body is not complete.
    public typealias Failure = CurlFailure

    private let hold: BodyHold

    init(_ transfer: Transfer) { hold = BodyHold(transfer) }

    /// Gives out the body. Iterators share one body: what one was given, no other gets, and the
    /// first one that is dropped ends the transfer for all.
    public func makeAsyncIterator() -> Iterator { Iterator(hold.passOn()) }

    /// Ends the transfer at once; what is buffered is lost, and reading fails with `cancelled`
    /// unless the end had been read.
    public func cancel() { hold.transfer.cancel() }

    /// Gives out the pieces of one body.
    public struct Iterator: AsyncIteratorProtocol {
        private let hold: IteratorHold

        fileprivate init(_ transfer: Transfer) { hold = IteratorHold(transfer) }

        /// Waits for the next piece; nil is the end of a complete body. A failure is thrown again
        /// by every later call, so that a body cut short is never taken for a complete one.
        public mutating func next() async throws(CurlFailure) -> [UInt8]? {
            try await hold.transfer.nextPiece()
        }

        /// Waits for the next piece, as `next()` does, on the caller's actor.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(CurlFailure) -> [UInt8]? {
            try await hold.transfer.nextPiece()
        }
    }
}

extension CurlBody {
    /// Reads the body to its end into one array. `CurlRequest.maximumResponseBytes` bounds it.
    public func collect() async throws(CurlFailure) -> [UInt8] {
        var iterator = makeAsyncIterator()
        guard var bytes = try await iterator.next() else { return [] }
        while let more = try await iterator.next() { bytes += more }
        return bytes
    }
}
