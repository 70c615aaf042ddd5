import HummingbirdCore
import NIOCore
import Synchronization

/// A client's connection as its task sees it: requests come, answers go, and the client may leave.
///
/// The other half is ``ConnectionHandler``, on the event loop. One reader.
final class Connection: ServerChildChannelValue {
    let channel: any Channel
    /// The client's address without port.
    let peer: String
    /// Whether the client is there.
    let presence = ClientPresence()
    private let state = Mutex(State())

    private struct State {
        var arrivals: [Arrival] = []
        var isEnded = false
        var isWritable = true
        var isClosing = false
        var reader: CheckedContinuation<Arrival?, Never>?
        var writer: CheckedContinuation<Void, Never>?
        var watcher: CheckedContinuation<Void, Never>?
    }

    /// Makes the connection of a channel.
    init(_ channel: any Channel) {
        self.channel = channel
        peer = channel.remoteAddress?.ipAddress ?? "local"
    }

    // MARK: the task's side

    /// The next arrival; nil when there will be none.
    func next() async -> Arrival? {
        await withCheckedContinuation { continuation in
            let ready: Arrival??
            ready = state.withLock { state -> Arrival?? in
                if !state.arrivals.isEmpty { return .some(state.arrivals.removeFirst()) }
                if state.isEnded { return .some(nil) }
                state.reader = continuation
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    /// Sends a part of an answer; `flush` when nothing follows at once.
    func send(_ part: AnswerPart, flush: Bool) {
        if flush {
            channel.writeAndFlush(part, promise: nil)
        } else {
            channel.write(part, promise: nil)
        }
    }

    /// Waits until the client reads again; false when it is gone.
    func writable() async -> Bool {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.isWritable || state.isEnded { return true }
                state.writer = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        return presence.departure == nil
    }

    /// Whether the connection takes no further request.
    var isClosing: Bool { state.withLock { $0.isClosing || $0.isEnded } }

    /// Waits until the client is gone, the gateway stops waiting for it, or the connection's task
    /// is done.
    func untilEnded() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isEnded = state.withLock { state in
                    if !state.isEnded { state.watcher = continuation }
                    return state.isEnded
                }
                if isEnded { continuation.resume() }
            }
        } onCancel: {
            leave(.drained)
        }
    }

    // MARK: the event loop's side

    /// Hands an arrival to the reader.
    func deliver(_ arrival: Arrival) {
        let reader = state.withLock { state in
            guard !state.isEnded else { return CheckedContinuation<Arrival?, Never>?.none }
            guard let reader = state.reader.take() else {
                state.arrivals.append(arrival)
                return nil
            }
            return reader
        }
        reader?.resume(returning: arrival)
    }

    /// Notes whether the socket takes more.
    func setWritable(_ isWritable: Bool) {
        let writer = state.withLock { state in
            state.isWritable = isWritable
            return isWritable ? state.writer.take() : nil
        }
        writer?.resume()
    }

    /// Notes that the connection takes no further request.
    func beginClosing() { state.withLock { $0.isClosing = true } }

    /// Notes that nobody waits for answers any more, and why.
    func leave(_ departure: ClientPresence.Departure) {
        presence.leave(departure)
        end()
    }

    /// Ends the connection for everybody who waits on it.
    func end() {
        let (reader, writer, watcher) = state.withLock { state in
            state.isEnded = true
            state.arrivals = []
            return (state.reader.take(), state.writer.take(), state.watcher.take())
        }
        reader?.resume(returning: nil)
        writer?.resume()
        watcher?.resume()
    }
}
