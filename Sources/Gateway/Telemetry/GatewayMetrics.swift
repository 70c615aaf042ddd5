import Metrics

/// Every metric of the gateway. Made once, so that counting costs no look-up; no label that a
/// client chooses.
struct GatewayMetrics: Sendable {
    private let requests: [Counter]
    private let clientsGone: Counter
    private let durations: Timer

    /// Makes the metrics in the system's factory.
    init() {
        requests = (1...5).map {
            Counter(label: "turnpike_requests_total", dimensions: [("status", "\($0)xx")])
        }
        clientsGone = Counter(label: "turnpike_clients_gone_total")
        durations = Timer(label: "turnpike_request_duration_seconds")
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
