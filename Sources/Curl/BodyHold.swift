internal import Synchronization

/// Ends a transfer when its body is dropped and nobody has begun to iterate.
final class BodyHold: Sendable {
    /// The transfer whose body this is.
    let transfer: Transfer
    private let wasPassedOn = Atomic(false)

    init(_ transfer: Transfer) { self.transfer = transfer }

    deinit {
        if !wasPassedOn.load(ordering: .relaxed) { transfer.cancel() }
    }

    /// Gives the transfer to an iterator, which from now on decides its end.
    func passOn() -> Transfer {
        wasPassedOn.store(true, ordering: .relaxed)
        return transfer
    }
}

/// Ends a transfer when its iterator is dropped.
final class IteratorHold: Sendable {
    /// The transfer whose body is iterated.
    let transfer: Transfer

    init(_ transfer: Transfer) { self.transfer = transfer }

    deinit { transfer.cancel() }
}
