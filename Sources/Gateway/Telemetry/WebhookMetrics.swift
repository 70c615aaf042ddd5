import Domain
import Metrics

/// What becomes of the events for one webhook.
struct WebhookMetrics: Sendable {
    /// Tries that the receiver took.
    private let delivered: Counter
    /// Tries that it did not take, and that are followed by another one.
    private let failed: Counter
    /// Events that were given up.
    private let dead: Counter
    private let oldest: Meter

    /// Makes them, at nothing, for a webhook of the configuration.
    init(_ webhook: String, in registry: MetricsRegistry) {
        func counter(_ outcome: String) -> Counter {
            Counter(
                label: "turnpike_webhook_deliveries_total",
                dimensions: [("webhook", webhook), ("outcome", outcome)], factory: registry)
        }
        delivered = counter("delivered")
        failed = counter("failed")
        dead = counter("dead")
        oldest = Meter(
            label: "turnpike_webhook_oldest_undelivered_seconds",
            dimensions: [("webhook", webhook)], factory: registry)
    }

    /// Counts a try.
    func count(_ outcome: DeliveryOutcome) {
        switch outcome {
        case .delivered: delivered.increment()
        case .retry: failed.increment()
        case .dead: dead.increment()
        }
    }

    /// Notes the age of the oldest event that waits; nil for none, which is 0.
    func note(oldest age: Duration?) {
        let (seconds, attoseconds) = (age ?? .zero).components
        oldest.set(Double(seconds) + Double(attoseconds / 1_000_000_000_000_000) / 1000)
    }
}
