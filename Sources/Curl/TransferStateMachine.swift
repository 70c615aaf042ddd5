/// Decides what happens between one transfer and its one consumer. Pure: it holds no continuation
/// and no handle, it only says what to do with them.
///
/// The loop thread tells it what libcurl did, the consumer's task tells it what was asked for.
/// Every answer that resumes somebody is given exactly once per wait.
struct TransferStateMachine {
    /// What the caller has to do after leaving the lock; mostly nothing.
    struct Actions: Equatable {
        /// Resume whoever waits for the head.
        var head: Result<ResponseHead, CurlFailure>?
        /// Resume whoever waits for a piece of the body; nil inside is its end.
        var piece: Result<[UInt8]?, CurlFailure>?
        /// What the loop has to do with the transfer.
        var transfer: TransferOrder?
    }

    /// What the loop has to do with a transfer.
    enum TransferOrder: Equatable {
        /// Let the paused transfer go on.
        case resume
        /// Take it from libcurl, which closes its connection unless the response was complete.
        case stop
    }

    /// The answer to a consumer that asks for a piece of the body.
    enum Answer: Equatable {
        /// Everything that is buffered, and whether the loop should resume the transfer.
        case bytes([UInt8], order: TransferOrder?)
        /// The body is complete.
        case end
        /// The body will not be completed.
        case failure(CurlFailure)
        /// Nothing has arrived; `piece` will be set later.
        case wait
    }

    private enum State {
        case awaitingHead(isAwaited: Bool)
        case streaming(Streaming)
        /// The transfer is over; the consumer may still have bytes to take, then learns how it
        /// ended.
        case ended(buffer: [UInt8], failure: CurlFailure?)
    }

    private struct Streaming {
        var buffer: [UInt8] = []
        var isPaused = false
        var isAwaited = false
    }

    private let lowWatermark: Int
    private var state = State.awaitingHead(isAwaited: false)

    init(lowWatermark: Int) { self.lowWatermark = lowWatermark }

    /// Whether the transfer is still wanted. Not so once it ended or was given up.
    var isRunning: Bool {
        if case .ended = state { false } else { true }
    }

    /// How many bytes wait for the consumer.
    var bufferedBytes: Int {
        switch state {
        case .awaitingHead: 0
        case .streaming(let streaming): streaming.buffer.count
        case .ended(let buffer, _): buffer.count
        }
    }

    /// Whether a request for a piece would be answered at once.
    var isPieceReady: Bool {
        if case .streaming(let streaming) = state { !streaming.buffer.isEmpty } else { true }
    }

    // MARK: What the consumer did

    /// Somebody began to wait for the head. Returns the failure if there is nothing to wait for.
    mutating func headWasAwaited() -> CurlFailure? {
        switch state {
        case .awaitingHead(let isAwaited):
            precondition(!isAwaited, "a transfer's head is awaited once")
            state = .awaitingHead(isAwaited: true)
            return nil
        case .streaming: preconditionFailure("a head is only delivered to who awaits it")
        case .ended(_, let failure): return failure ?? CurlFailure(.cancelled)
        }
    }

    /// The consumer asked for the next piece of the body.
    mutating func pieceWasRequested() -> Answer {
        switch state {
        case .awaitingHead: preconditionFailure("a body is only given out with its head")
        case .streaming(var streaming):
            precondition(!streaming.isAwaited, "a body has one consumer, which asks once at a time")
            guard !streaming.buffer.isEmpty else {
                streaming.isAwaited = true
                state = .streaming(streaming)
                return .wait
            }
            let bytes = streaming.buffer
            let wasPaused = streaming.isPaused
            state = .streaming(Streaming())
            return .bytes(bytes, order: wasPaused ? .resume : nil)
        case .ended(let buffer, let failure):
            guard buffer.isEmpty else {
                state = .ended(buffer: [], failure: failure)
                return .bytes(buffer, order: nil)
            }
            return failure.map(Answer.failure) ?? .end
        }
    }

    /// The consumer cancelled, or dropped what it would have read from. Buffered bytes are gone.
    mutating func wasCancelled() -> Actions {
        switch state {
        case .awaitingHead, .streaming:
            return end(CurlFailure(.cancelled, receivedResponse: hasHead), order: .stop)
        case .ended(let buffer, let failure):
            // What is left unread was cut off; the consumer must not take it for a whole body.
            if !buffer.isEmpty {
                let cut = CurlFailure(.cancelled, receivedResponse: true)
                state = .ended(buffer: [], failure: failure ?? cut)
            }
            return Actions()
        }
    }

    // MARK: What the transfer did

    /// The final response head was completed.
    mutating func headWasCompleted(_ head: ResponseHead) -> Actions {
        guard case .awaitingHead(let isAwaited) = state else { return Actions() }
        precondition(isAwaited, "a transfer is only started once its head is awaited")
        state = .streaming(Streaming())
        return Actions(head: .success(head))
    }

    /// Body bytes arrived.
    mutating func bytesWereReceived(_ bytes: consuming [UInt8]) -> Actions {
        guard case .streaming(var streaming) = state, !bytes.isEmpty else { return Actions() }
        guard !streaming.isAwaited else {
            streaming.isAwaited = false
            state = .streaming(streaming)
            return Actions(piece: .success(bytes))
        }
        // Taken out of the state so that appending does not copy what is there.
        state = .streaming(Streaming())
        if streaming.buffer.isEmpty { streaming.buffer = bytes } else { streaming.buffer += bytes }
        state = .streaming(streaming)
        return Actions()
    }

    /// libcurl was told to pause, because the buffer looked full. The consumer may have taken the
    /// bytes meanwhile, and then nobody else would set the transfer going again.
    mutating func transferWasPaused() -> Actions {
        guard case .streaming(var streaming) = state else { return Actions() }
        streaming.isPaused = streaming.buffer.count > lowWatermark
        let order: TransferOrder? = streaming.isPaused ? nil : .resume
        state = .streaming(streaming)
        return Actions(transfer: order)
    }

    /// The transfer is over, well or not. What was received before stays readable.
    mutating func transferEnded(_ failure: CurlFailure?) -> Actions {
        end(failure, order: nil)
    }

    /// The loop ran out of patience: a time limit passed, or the client is being shut down.
    mutating func transferWasGivenUp(_ failure: CurlFailure) -> Actions {
        end(failure, order: .stop)
    }

    // MARK: Endings

    private var hasHead: Bool {
        if case .awaitingHead = state { false } else { true }
    }

    private mutating func end(_ failure: CurlFailure?, order: TransferOrder?) -> Actions {
        switch state {
        case .awaitingHead(let isAwaited):
            let failure = failure ?? CurlFailure(.protocolError, detail: "no response head")
            state = .ended(buffer: [], failure: failure)
            return Actions(head: isAwaited ? .failure(failure) : nil, transfer: order)
        case .streaming(let streaming):
            // A cancelled consumer has asked for nothing more; everybody else keeps what arrived.
            let isCancelled = failure?.phase == .cancelled
            state = .ended(buffer: isCancelled ? [] : streaming.buffer, failure: failure)
            guard streaming.isAwaited else { return Actions(transfer: order) }
            let piece: Result<[UInt8]?, CurlFailure> = failure.map { .failure($0) } ?? .success(nil)
            return Actions(piece: piece, transfer: order)
        case .ended: return Actions()
        }
    }
}
