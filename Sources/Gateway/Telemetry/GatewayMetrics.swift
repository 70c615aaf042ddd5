import Metrics

/// Every metric of the gateway's requests. Made once, so that counting costs no look-up; no label
/// that a client chooses.
struct GatewayMetrics: Sendable {
    /// What each metric of the program tells.
    static let help = [
        "turnpike_requests_total": "Answered requests, by the class of their status.",
        "turnpike_clients_gone_total": "Requests whose client left before the end.",
        "turnpike_request_duration_seconds": "From a request's first line to its answer's end.",
        "turnpike_webhook_deliveries_total": "Tries of this gateway to deliver an event.",
        "turnpike_webhook_oldest_undelivered_seconds":
            "The age of the oldest event in the ledger that is still to be delivered.",
    ]

    private let requests: [Counter]
    private let clientsGone: Counter
    private let durations: Timer

    /// Makes the metrics, at nothing.
    init(in registry: MetricsRegistry) {
        requests = (1...5).map {
            Counter(
                label: "turnpike_requests_total", dimensions: [("status", "\($0)xx")],
                factory: registry)
        }
        clientsGone = Counter(label: "turnpike_clients_gone_total", factory: registry)
        durations = Timer(label: "turnpike_request_duration_seconds", factory: registry)
    }

    /// Counts an answered request.
    func count(status: Int, duration: Duration) {
        let (seconds, attoseconds) = duration.components
        durations.recordNanoseconds(seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
        if status == 499 { clientsGone.increment() }
        guard (100..<600).contains(status) else { return }
        requests[status / 100 - 1].increment()
    }
}
