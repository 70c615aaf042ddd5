import Curl
public import Domain
public import Logging
public import ServiceLifecycle

/// Sends the events that wait in the ledger to their receivers, until the process stops. Receivers
/// do not wait for each other.
struct WebhookService: Service, CustomStringConvertible {
    let senders: [WebhookSender]
    let outbox: any EventOutbox
    /// Waits, or returns at once in a cancelled task.
    let pause: @Sendable (Duration) async -> Void
    let time: any TimeSource
    let logger: Logger

    /// How many events are on their way to one receiver at a time.
    static let mostAtOnce = 8
    /// How often the ledger is asked for more while there is none.
    static let every: Duration = .seconds(1)
    /// How often it is asked for the age of the oldest.
    static let measureEvery: Duration = .seconds(15)

    let description = "webhooks"

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            for sender in senders { group.addTask { await run(sender) } }
            // Throws when the task is cancelled, which stops the loops as well.
            try? await gracefulShutdown()
            // What is being sent is cut short: its claim runs out, and it is sent again.
            group.cancelAll()
        }
    }

    private func run(_ sender: WebhookSender) async {
        var isAway = false
        var measured: Uptime?
        while !Task.isCancelled {
            if measured.map({ time.uptime - $0 >= Self.measureEvery }) ?? true {
                // While the ledger is away the last answer stands.
                try? await measure(sender)
                measured = time.uptime
            }
            do throws(LedgerFault) {
                let count = try await round(sender)
                isAway = false
                if count == Self.mostAtOnce { continue }
            } catch {
                if !isAway, !Task.isCancelled {
                    logger.warning(
                        "events wait until the ledger can be reached",
                        metadata: ["webhook": "\(sender.configuration.name)"])
                }
                isAway = true
            }
            await pause(Self.every)
        }
    }

    /// Notes how old the oldest event is that waits for a receiver.
    func measure(_ sender: WebhookSender) async throws(LedgerFault) {
        let age = try await outbox.oldestAge(for: sender.configuration.name)
        sender.metrics.note(oldest: age)
    }

    /// Sends what is due, and notes what came of it; returns how many that were.
    func round(_ sender: WebhookSender) async throws(LedgerFault) -> Int {
        let claimed = try await outbox.claim(
            for: sender.configuration.name, most: Self.mostAtOnce, lease: sender.lease)
        await withTaskGroup(of: Void.self) { group in
            for delivery in claimed { group.addTask { await deliver(delivery, through: sender) } }
        }
        return claimed.count
    }

    private func deliver(_ delivery: EventDelivery, through sender: WebhookSender) async {
        guard let outcome = await sender.send(delivery) else { return }
        log(outcome, of: delivery)
        sender.metrics.count(outcome)
        // The ledger's side says in its log what could not be noted; the claim then runs out.
        try? await outbox.note(outcome, of: delivery)
    }

    private func log(_ outcome: DeliveryOutcome, of delivery: EventDelivery) {
        var metadata: Logger.Metadata = [
            "event": "\(delivery.event.id)", "webhook": "\(delivery.webhook)",
            "attempt": "\(delivery.attempt)",
        ]
        switch outcome {
        case .delivered: logger.info("an event was delivered", metadata: metadata)
        case .retry(let wait, let fault):
            metadata["reason"] = "\(fault.reason)"
            metadata["again_in_ms"] = "\(wait.millisecondsRoundedUp)"
            logger.warning("an event was not taken", metadata: metadata)
        case .dead(let fault):
            metadata["reason"] = "\(fault.reason)"
            logger.error(
                "an event was given up; see turnpike admin event list --state dead",
                metadata: metadata)
        }
    }
}

extension BackendRegistry {
    /// Sends events to receivers, over connections of the backends' client; to be stopped before
    /// them.
    ///
    /// - Parameters:
    ///   - random: gives 64 random bits; used to spread retries, not for secrets.
    ///   - metrics: where what becomes of them is counted.
    public func webhooks(
        _ configurations: [WebhookConfiguration], outbox: any EventOutbox,
        time: any TimeSource, random: @escaping @Sendable () -> UInt64,
        metrics: MetricsRegistry, logger: Logger
    ) -> any Service {
        WebhookService(
            senders: configurations.map {
                WebhookSender(
                    configuration: $0, client: client,
                    metrics: WebhookMetrics($0.name, in: metrics), time: time, random: random)
            },
            outbox: outbox,
            // Cut short when the process stops.
            pause: { try? await Task.sleep(for: $0) }, time: time, logger: logger)
    }
}
