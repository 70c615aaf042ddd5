import Domain

/// Gate G1: the ledger's word for an opening, or in an outage the disk's.
extension ShardLedger {
    /// See ``QuotaLedger/acceptance(of:)``.
    func acceptance(of id: RequestID) async throws(LedgerFault) -> Acceptance {
        switch await opening(of: id) {
        case .accepted: return .accepted
        case .mayRide: return try await ride(id)
        case .keyRefused: return .keyRefused
        case .failed(let fault): throw fault
        case .pending: throw .unavailable
        }
    }

    /// Takes the disk's word for the ledger's: the request goes on once its opening is where a loss
    /// of power cannot take it.
    private func ride(_ id: RequestID) async throws(LedgerFault) -> Acceptance {
        guard journal.rode(id), await journal.sync() else { throw .unavailable }
        let state = change { state, _ -> ShardState.OpeningState in
            guard let opening = state.open[id]?.opening else { return .failed(.fenced) }
            // The ledger may have answered meanwhile.
            guard case .pending = opening else { return opening }
            state.open[id]?.rode = true
            state.lane.ride(id)
            return .accepted
        }
        switch state {
        case .accepted, .mayRide: return .accepted
        case .keyRefused: return .keyRefused
        case .failed(let fault): throw fault
        case .pending: throw .unavailable
        }
    }

    /// What the ledger says of an opening, or that it is away.
    private func opening(of id: RequestID) async -> ShardState.OpeningState {
        let deadline = clock.uptime + settings.acceptanceWait
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                change { state, wakeups in
                    let opening = state.open[id]?.opening ?? .failed(.fenced)
                    if case .pending = opening, !Task.isCancelled {
                        state.openingWaits.add(id, until: deadline, continuation)
                        ride(&state, at: clock.uptime, &wakeups)
                    } else {
                        wakeups.openings.append((continuation, opening))
                    }
                }
            }
        } onCancel: {
            change { state, wakeups in
                if let waiter = state.openingWaits.take(id) {
                    wakeups.openings.append((waiter, .failed(.unavailable)))
                }
            }
        }
    }

    /// Whether who can do without the ledger should.
    func isAway(_ state: borrowing ShardState, at now: Uptime) -> Bool {
        state.silence.isAway(
            at: now, patience: settings.rideAfter, beats: settings.longestSilence)
    }

    /// Whether there is no use in waiting for the ledger.
    func isGone(_ state: borrowing ShardState, at now: Uptime) -> Bool {
        state.silence.isGone(
            at: now, patience: settings.rideAfter, beats: settings.longestSilence)
    }

    /// In an outage, lets go on who may go on without the ledger's word.
    func ride(_ state: inout ShardState, at now: Uptime, _ wakeups: inout ShardState.Wakeups) {
        guard isAway(state, at: now) else { return }
        state.ride(
            admits: state.silence.mayRide(at: now, for: settings.rideFor) && !journal.hasFailed,
            &wakeups)
    }
}
