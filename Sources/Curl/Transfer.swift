internal import Synchronization

/// One transfer as its consumer and the loop thread share it: the state machine and whoever waits.
///
/// Every method asks the machine under the lock and acts after leaving it.
final class Transfer: Sendable {
    /// What to send, and the limits that apply.
    let request: CurlRequest

    private let inbox: TransferInbox
    private let shared: Mutex<Shared>

    private struct Shared {
        var machine: TransferStateMachine
        var headWaiter: CheckedContinuation<Result<ResponseHead, CurlFailure>, Never>?
        var pieceWaiter: CheckedContinuation<Result<[UInt8]?, CurlFailure>, Never>?
    }

    /// Makes a transfer that is not started yet.
    init(_ request: CurlRequest, inbox: TransferInbox, lowWatermark: Int) {
        self.request = request
        self.inbox = inbox
        shared = Mutex(Shared(machine: TransferStateMachine(lowWatermark: lowWatermark)))
    }

    // MARK: The consumer's side

    /// Starts the transfer and waits for the head. Cancelling the task ends the transfer.
    func start() async throws(CurlFailure) -> ResponseHead {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let failure = shared.withLock { shared -> CurlFailure? in
                    if let failure = shared.machine.headWasAwaited() { return failure }
                    shared.headWaiter = continuation
                    return nil
                }
                if let failure { return continuation.resume(returning: .failure(failure)) }
                if let refusal = inbox.start(self) { giveUp(refusal) }
            }
        } onCancel: {
            cancel()
        }
        return try result.get()
    }

    /// Waits for the next piece of the body; nil is its end. Cancelling the task ends the transfer.
    func nextPiece() async throws(CurlFailure) -> [UInt8]? {
        if Task.isCancelled { cancel() }
        if let ready = request(waiter: nil) { return try ready.get() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if let ready = request(waiter: continuation) {
                    continuation.resume(returning: ready)
                }
            }
        } onCancel: {
            cancel()
        }
        return try result.get()
    }

    /// Ends the transfer if it is still running; whoever waits fails with `cancelled`.
    func cancel() {
        perform { $0.wasCancelled() }
    }

    /// What there is to deliver now. If there is nothing, keeps `waiter` and returns nil; without a
    /// waiter it only looks.
    private func request(
        waiter: CheckedContinuation<Result<[UInt8]?, CurlFailure>, Never>?
    ) -> Result<[UInt8]?, CurlFailure>? {
        let answer = shared.withLock { shared -> TransferStateMachine.Answer in
            if waiter == nil && !shared.machine.isPieceReady { return .wait }
            let answer = shared.machine.pieceWasRequested()
            if case .wait = answer { shared.pieceWaiter = waiter }
            return answer
        }
        switch answer {
        case .bytes(let bytes, let order):
            post(order)
            return .success(bytes)
        case .end: return .success(nil)
        case .failure(let failure): return .failure(failure)
        case .wait: return nil
        }
    }

    // MARK: The loop's side

    /// Whether anybody still wants the transfer.
    var isRunning: Bool { shared.withLock { $0.machine.isRunning } }

    /// How many bytes wait for the consumer now.
    var bufferedBytes: Int { shared.withLock { $0.machine.bufferedBytes } }

    /// Tells what libcurl did since the last time, in one visit to the lock. Returns how many
    /// bytes now wait for the consumer, and whether a pause is over already.
    func report(_ progress: consuming TransferProgress) -> (bufferedBytes: Int, resumes: Bool) {
        let head = progress.head
        let bytes = progress.bytes
        let wasPaused = progress.wasPaused
        let ending = progress.ending
        var actions = TransferStateMachine.Actions()
        var waiters = Waiters()
        let buffered = shared.withLock { shared -> Int in
            if let head { actions.head = shared.machine.headWasCompleted(head).head }
            if !bytes.isEmpty { actions.piece = shared.machine.bytesWereReceived(bytes).piece }
            if wasPaused { actions.transfer = shared.machine.transferWasPaused().transfer }
            if let ending {
                let last = shared.machine.transferEnded(ending.failure)
                actions.head = actions.head ?? last.head
                actions.piece = actions.piece ?? last.piece
                actions.transfer = nil
            }
            waiters = Waiters(taking: actions, from: &shared)
            return shared.machine.bufferedBytes
        }
        waiters.resume(actions)
        return (buffered, actions.transfer == .resume)
    }

    /// Ends the transfer with a failure that is not libcurl's.
    func giveUp(_ failure: CurlFailure) {
        perform { $0.transferWasGivenUp(failure) }
    }

    // MARK: Acting

    private func perform(
        _ decide: (inout TransferStateMachine) -> TransferStateMachine.Actions
    ) {
        var waiters = Waiters()
        let actions = shared.withLock { shared -> TransferStateMachine.Actions in
            let actions = decide(&shared.machine)
            waiters = Waiters(taking: actions, from: &shared)
            return actions
        }
        post(actions.transfer)
        waiters.resume(actions)
    }

    private func post(_ order: TransferStateMachine.TransferOrder?) {
        switch order {
        case .resume: inbox.post(.resume(self))
        case .stop: inbox.post(.stop(self))
        case nil: break
        }
    }

    /// The continuations an action is for, taken out of the shared state so that they cannot be
    /// resumed a second time.
    private struct Waiters {
        private var head: CheckedContinuation<Result<ResponseHead, CurlFailure>, Never>?
        private var piece: CheckedContinuation<Result<[UInt8]?, CurlFailure>, Never>?

        init() {}

        init(taking actions: TransferStateMachine.Actions, from shared: inout Shared) {
            if actions.head != nil { head = shared.headWaiter.take() }
            if actions.piece != nil { piece = shared.pieceWaiter.take() }
        }

        func resume(_ actions: TransferStateMachine.Actions) {
            if let result = actions.head { head?.resume(returning: result) }
            if let result = actions.piece { piece?.resume(returning: result) }
        }
    }
}

/// What libcurl did for one transfer since the loop last reported it.
struct TransferProgress {
    /// How a transfer ended; without a failure it ended well.
    struct Ending { var failure: CurlFailure? }

    /// The final head, if it was completed.
    var head: ResponseHead?
    /// The body bytes that arrived, in one piece.
    var bytes: [UInt8] = []
    /// Whether the transfer was paused.
    var wasPaused = false
    /// Set once the transfer is over.
    var ending: Ending?
}
