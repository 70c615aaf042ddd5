import Synchronization

/// The choices of one request as one answer, where the backend makes one choice a call.
///
/// The first call waits for its turn at the backend like any other; the others begin whenever
/// there is room, so that an answer never waits for room while it holds some. Calls under way are
/// read in turns; what one says while another is read stays in its connection.
actor FannedAnswer: BackendAnswer {
    /// Begins one call. With `waits` it waits for room; without it gives nil when there is none.
    typealias Opening =
        @Sendable (_ call: BackendCall, _ waits: Bool) async throws(BackendFailure)
        -> (any BackendAnswer)?

    private let call: BackendCall
    private let open: Opening
    private nonisolated let held = Mutex(Held())
    private var waiting: [Int]
    private var running: [(choice: Int, answer: any BackendAnswer)] = []
    private var turn = 0
    private var tally: FannedTally

    /// The answers to cancel, reachable from anywhere.
    private struct Held: Sendable {
        var answers: [Int: any BackendAnswer] = [:]
        var isCancelled = false
        /// How long the first call waited; the others wait for nothing.
        var queueTime: Duration?
    }

    nonisolated var queueTime: Duration { held.withLock { $0.queueTime ?? .zero } }

    private init(_ call: BackendCall, _ open: @escaping Opening) {
        self.call = call
        self.open = open
        waiting = Array(0..<call.request.choices)
        tally = FannedTally(choices: call.request.choices)
    }

    /// Begins the answer; returns once the backend has begun with its first choice.
    static func begin(
        _ call: BackendCall, opening open: @escaping Opening
    ) async throws(BackendFailure) -> FannedAnswer {
        let answer = FannedAnswer(call, open)
        try await answer.openFirst()
        return answer
    }

    nonisolated func cancel() {
        let answers = held.withLock { held in
            held.isCancelled = true
            defer { held.answers = [:] }
            return held.answers.values.map { $0 }
        }
        for answer in answers { answer.cancel() }
    }

    func next() async throws(BackendFailure) -> [BackendEvent]? {
        while true {
            if running.isEmpty {
                guard !waiting.isEmpty else { return nil }
                try await openFirst()
            }
            try await openMore()
            let (choice, answer) = running[turn]
            if let events = try await answer.next() {
                turn = (turn + 1) % running.count
                return events.map { tally.take($0, of: choice) }
            }
            running.remove(at: turn)
            held.withLock { _ = $0.answers.removeValue(forKey: choice) }
            if turn >= running.count { turn = 0 }
        }
    }

    // MARK: Opening

    private func openFirst() async throws(BackendFailure) {
        let choice = waiting.removeFirst()
        guard let answer = try await open(call.choice(choice), true) else {
            throw BackendFailure(kind: .unreachable, detail: "no room after waiting for it")
        }
        try hold(answer, choice)
    }

    /// Begins as many more as there is room for, at the same time: each may take as long as its
    /// prompt does.
    private func openMore() async throws(BackendFailure) {
        guard !waiting.isEmpty else { return }
        let (call, open) = (call, open)
        let opened = await withTaskGroup(
            of: (Int, Result<(any BackendAnswer)?, BackendFailure>).self
        ) { group in
            for choice in waiting {
                group.addTask {
                    do throws(BackendFailure) {
                        return (choice, .success(try await open(call.choice(choice), false)))
                    } catch {
                        return (choice, .failure(error))
                    }
                }
            }
            var opened: [(Int, Result<(any BackendAnswer)?, BackendFailure>)] = []
            for await result in group { opened.append(result) }
            return opened.sorted { $0.0 < $1.0 }
        }
        var failure: BackendFailure?
        for (choice, result) in opened {
            switch result {
            case .success(.none): break
            case .success(.some(let answer)):
                waiting.removeAll { $0 == choice }
                do throws(BackendFailure) { try hold(answer, choice) } catch { failure = error }
            case .failure(let error): failure = failure ?? error
            }
        }
        // Whoever is told cancels this answer, and with it what was opened beside the failure.
        if let failure { throw failure }
    }

    private func hold(_ answer: any BackendAnswer, _ choice: Int) throws(BackendFailure) {
        let isCancelled = held.withLock { held in
            if !held.isCancelled { held.answers[choice] = answer }
            held.queueTime = held.queueTime ?? answer.queueTime
            return held.isCancelled
        }
        guard !isCancelled else {
            answer.cancel()
            throw BackendFailure(kind: .cancelled, detail: "")
        }
        running.append((choice, answer))
    }
}

extension BackendCall {
    /// The call for one of the choices: with a seed of its own, or all would be the same.
    fileprivate func choice(_ index: Int) -> BackendCall {
        var call = self
        call.request.choices = 1
        call.request.seed = request.seed.map { $0 &+ Int64(index) }
        return call
    }
}
