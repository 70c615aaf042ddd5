import Domain

/// Who pays for copies of requests, and where they run.
struct Shadows: Sendable {
    /// An API key of this gateway: the operator's own.
    let key: [UInt8]
    let keys: any KeyDirectory
    let runner: ShadowRunner
}

extension CompletionPipeline {
    /// Sends a copy of an admitted request to its route's shadow, for as many of a hundred as that
    /// takes and while there is a place. Returns at once: nothing of the copy is anything to the
    /// request.
    func shadow(_ admitted: borrowing AdmittedRequest) {
        let resolved = admitted.resolved
        guard let shadow = resolved.route.shadow, let shadows,
            shadow.takes(random: routing.random())
        else { return }
        let id = RequestID(at: time.wall, random: (routing.random(), routing.random()))
        let (request, route) = (resolved.request, resolved.route.shadowed(by: shadow))
        let isTaken = shadows.runner.offer {
            await self.copy(request, along: route, as: id, paidBy: shadows)
        }
        if isTaken { resolved.exchange.notes.update { $0.shadow = id } }
    }

    /// A request of the operator's own through the same straight line, with its own admission,
    /// meter and record; its answer is read and dropped.
    private func copy(
        _ request: ChatCompletionRequest, along route: ModelRoute, as id: RequestID,
        paidBy shadows: Shadows
    ) async {
        let exchange = Exchange(
            requestID: id, receivedAt: time.uptime, receivedAtWall: time.wall,
            presence: ClientPresence(), notes: RequestNotes(), executor: nil)
        do throws(GatewayFailure) {
            let payer = try await principal(holding: shadows.key, in: shadows.keys)
            guard payer.mayUse(model: route.alias) else { return }
            var resolved = try resolve(request, along: route, for: payer, in: exchange)
            resolved.isCopy = true
            let admitted = try await admit(try await measured(resolved))
            let forwarded = await forward(admitted)
            switch try await meter(forwarded, for: admitted) {
            case .whole: break
            case .stream(var stream): while case .pieces = await stream.next() {}
            }
        } catch {
            // Its record, if it was admitted, tells how it ended; nobody else asks.
        }
    }
}
