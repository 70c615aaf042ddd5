import Domain

@testable import Ledger

/// One request's way through a gateway: admission, dispatch, the first byte, tokens, settlement, the
/// end.
///
/// Transcribed from the gateway's pipeline (`Forward`, `Meter`, `MeteredStream`, `Settle`), which
/// needs sockets: the order of its gates, and what each end is worth (`SettlementDecision`).
/// Everything behind ``QuotaLedger`` is the product's own.
struct SimulatedGateway {
    let simulation: Simulation
    let node: SimulatedNode
    let process: SimulatedProcess
    let ledger: PostgresQuotaLedger
    let request: ClientRequest

    private enum End { case finished, clientGone, backendFailed }

    func serve() async {
        if simulation.mutation == .dispatchBeforeAdmission { dispatch() }
        let admission: Admission
        do throws(LedgerFault) {
            admission = try await ledger.admit(
                AdmissionRequest(
                    requestID: request.id, principal: request.principal, bound: request.bound,
                    model: "demo", backend: "local", price: nil))
        } catch {
            return over(.refused("\(error)"))
        }
        switch consume admission {
        case .denied(let denial): over(.denied(denial.reason))
        case .admitted(let reservation): await forward(reservation)
        }
    }

    private func forward(_ reservation: consuming Reservation) async {
        await Task.yield()
        guard !process.isDead else { return reservation.settled() }
        dispatch()
        if simulation.mutation == .firstByteBeforeAcceptance { return await stream(reservation) }
        do throws(LedgerFault) {
            guard try await ledger.acceptance(of: reservation) == .accepted else {
                await settle(reservation, .none, .void, .revoked)
                return over(.refused("key"))
            }
        } catch {
            over(.refused("\(error)"))
            await settle(reservation, .none, .void, .failedBeforeFirstByte)
            return
        }
        await process.pause(.microseconds(request.firstTokenDelay))
        await stream(reservation)
    }

    private func dispatch() {
        request.isDispatched = true
        simulation.check(
            node.journal?.opened.contains(request.id) == true,
            "G0: \(request.id) went to the backend before it was in the journal")
    }

    private func stream(_ reservation: consuming Reservation) async {
        var end = End.finished
        for token in 0..<request.planned {
            if request.hasLeft {
                end = .clientGone
                break
            }
            if request.failsBefore == token {
                end = .backendFailed
                break
            }
            if process.isDead { return reservation.settled() }
            request.emitted += 1
            if simulation.mutation == .progressAfterDelivery {
                deliver()
                await Task.yield()
                ledger.note(usage(token + 1), of: reservation)
            } else {
                ledger.note(usage(token + 1), of: reservation)
                await Task.yield()
                deliver()
            }
            await process.pause(.microseconds(request.tokenDelay))
        }
        guard !process.isDead else { return reservation.settled() }
        await finish(reservation, end)
    }

    private func deliver() {
        guard !process.isDead, !request.hasLeft else { return }
        request.delivered += 1
        simulation.checkCovered(request, node.journal)
    }

    private func finish(_ reservation: consuming Reservation, _ end: End) async {
        let counted = usage(request.emitted)
        switch end {
        case .finished:
            if simulation.mutation == .endBeforeSettlement { over(.finished) }
            let isDurable = await settle(reservation, counted, .reported, .finished)
            over(isDurable ? .finished : .cut)
        case .clientGone:
            if simulation.mutation == .departureUnsettled {
                reservation.settled()
            } else if request.emitted == 0 {
                await settle(reservation, .none, .void, .clientGone)
            } else {
                await settle(reservation, counted, .counted, .clientGone)
            }
            over(.left)
        case .backendFailed:
            if request.delivered == 0 {
                await settle(reservation, .none, .void, .failedBeforeFirstByte)
                over(.refused("backend"))
            } else {
                await settle(reservation, counted, .counted, .backendFailed)
                over(.cut)
            }
        }
    }

    /// Settles whoever leaves meanwhile. True once that is durable.
    @discardableResult
    private func settle(
        _ reservation: consuming Reservation, _ usage: TokenUsage, _ basis: UsageBasis,
        _ endState: EndState
    ) async -> Bool {
        let settlement = Settlement(
            usage: usage, basis: basis, endState: endState, timeToFirstToken: nil,
            duration: .zero)
        guard !process.isDead else {
            reservation.settled()
            return false
        }
        let box = ReservationBox(reservation)
        let ledger = ledger
        return await Task(executorPreference: process) {
            guard let reservation = box.take() else { return false }
            do {
                _ = try await ledger.settle(reservation, as: settlement)
                return true
            } catch {
                return false
            }
        }.value
    }

    private func usage(_ tokens: Int64) -> TokenUsage {
        TokenUsage(prompt: request.bound.prompt, completion: tokens)
    }

    private func over(_ outcome: ClientRequest.Outcome) {
        // A dead process tells nobody anything; its connections were reset.
        guard !process.isDead, request.outcome == .running else { return }
        if outcome == .finished, !request.hasLeft {
            simulation.checkKept(request, node.journal)
        }
        request.outcome = request.hasLeft ? .left : outcome
    }
}
