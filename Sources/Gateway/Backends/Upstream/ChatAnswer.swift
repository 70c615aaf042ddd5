import Curl

/// An upstream's answer as it arrives over HTTP. An actor for its one consumer, so that
/// what is read and how far it was understood cannot be touched from two sides.
actor ChatAnswer: BackendAnswer {
    /// What the body is.
    enum Form: Sendable {
        /// Events, as they are generated.
        case stream
        /// One JSON text.
        case whole
    }

    private let body: CurlBody
    private let form: Form
    private let secrets: [[UInt8]]
    private let lease: EngineSlotLease?
    /// Dropping it ends the transfer, so it lives as long as the answer.
    private var iterator: CurlBody.Iterator
    private var parser = EventStreamParser()
    private let decoder: any AnswerDecoder
    private var progress = Progress.reading

    private enum Progress {
        case reading
        /// The stream's own end was read; the connection may still have to come to its end.
        case done
        case ended
        /// Thrown by the next call, and by every one after it.
        case failed(BackendFailure)
    }

    /// Takes over the body of an answer whose head was 200. `decoder` is made here, since it cannot
    /// be handed over; `secrets` must not stand in a log.
    init(
        _ body: CurlBody, form: Form, lease: EngineSlotLease?, secrets: [[UInt8]],
        decoder: () -> sending any AnswerDecoder
    ) {
        self.body = body
        self.form = form
        self.lease = lease
        self.secrets = secrets
        iterator = body.makeAsyncIterator()
        self.decoder = decoder()
    }

    nonisolated var queueTime: Duration { lease?.waited ?? .zero }

    nonisolated func cancel() {
        body.cancel()
        lease?.release()
    }

    func next() async throws(BackendFailure) -> [BackendEvent]? {
        while true {
            switch progress {
            case .reading:
                do throws(BackendFailure) {
                    if let events = try await read() { return events }
                } catch {
                    progress = .failed(error)
                }
            case .done:
                await finishTransfer()
                progress = .ended
            case .ended:
                lease?.release()
                return nil
            case .failed(let failure):
                // What follows cannot be trusted, so the connection goes.
                cancel()
                throw failure
            }
        }
    }

    // MARK: Reading

    /// What the next piece of the body says; nil if that is nothing, or if it is the end, which
    /// `progress` then tells.
    private func read() async throws(BackendFailure) -> [BackendEvent]? {
        guard form == .stream else {
            let event = try decoder.decodeAnswer(try await collect())
            progress = .ended
            return [event]
        }
        guard let piece = try await nextPiece() else {
            guard decoder.isFinished else {
                throw BackendFailure(kind: .malformed, detail: "the stream ended before its answer")
            }
            progress = .ended
            return nil
        }
        return try events(in: piece)
    }

    private func events(in piece: [UInt8]) throws(BackendFailure) -> [BackendEvent]? {
        var events: [BackendEvent] = []
        do throws(BackendFailure) {
            try parser.consume(piece) { data throws(BackendFailure) in
                guard case .reading = progress else { return }
                if let event = try decoder.decodeChunk(data) { events.append(event) }
                if decoder.isEnded { progress = .done }
            }
            if case .done = progress, !decoder.hasChoices {
                throw BackendFailure(kind: .malformed, detail: "the stream holds no answer")
            }
        } catch {
            // What was understood before counts, and goes out first.
            guard !events.isEmpty else { throw error }
            progress = .failed(error)
        }
        return events.isEmpty ? nil : events
    }

    private func collect() async throws(BackendFailure) -> [UInt8] {
        guard var bytes = try await nextPiece() else { return [] }
        while let piece = try await nextPiece() { bytes += piece }
        return bytes
    }

    private func nextPiece() async throws(BackendFailure) -> [UInt8]? {
        // Copies share the transfer; a stored iterator cannot be lent across a wait.
        var iterator = iterator
        do throws(CurlFailure) {
            return try await iterator.next(isolation: self)
        } catch {
            throw BackendFailure(error, redacting: secrets)
        }
    }

    /// Waits for the end of the body behind its mark, so that its connection can serve another
    /// call; a backend that leaves it open loses it, and the client does not wait.
    private func finishTransfer() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [body] in
                // Cancelled once the end came.
                guard (try? await Task.sleep(for: .milliseconds(500))) != nil else { return }
                body.cancel()
            }
            // The answer is whole: neither a failure nor more bytes change it.
            if (try? await nextPiece()) ?? nil != nil { body.cancel() }
            group.cancelAll()
        }
    }
}
