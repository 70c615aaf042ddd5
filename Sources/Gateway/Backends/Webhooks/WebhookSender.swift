import Curl
import Domain
import OpenSSL

/// Sends events to one receiver and says what came of it.
struct WebhookSender: Sendable {
    let configuration: WebhookConfiguration
    let client: CurlClient
    let metrics: WebhookMetrics
    let time: any TimeSource
    /// 64 random bits.
    let random: @Sendable () -> UInt64

    /// What an answer says beside its status is not looked at.
    private static let largestAnswer = 64 << 10

    /// How long a claim lasts: longer than a try and the note of its end.
    var lease: Duration { configuration.timeout + .seconds(30) }

    /// Sends an event once. Nil when this side was stopped meanwhile, so that nobody knows.
    func send(_ delivery: EventDelivery) async -> DeliveryOutcome? {
        let response: CurlResponse
        do throws(CurlFailure) {
            response = try await client.execute(try request(of: delivery.event))
        } catch {
            if error.phase == .cancelled || error.phase == .shutdown { return nil }
            return after(
                delivery, DeliveryFault(status: nil, reason: Self.words(error)), asked: nil)
        }
        // The answer is in its first line. What follows, however slowly, is not waited for.
        response.body.cancel()
        return outcome(of: delivery, response)
    }

    private func outcome(
        of delivery: EventDelivery, _ response: CurlResponse
    ) -> DeliveryOutcome {
        let status = response.status
        if (200...299).contains(status) { return .delivered(status: status) }
        let note = (300...399).contains(status) ? "; redirects are not followed" : ""
        let fault = DeliveryFault(status: status, reason: "it answered \(status)\(note)")
        // The specification's way to say that nothing more is wanted.
        if status == 410 { return .dead(fault) }
        let seconds = response.header("retry-after").flatMap(Int64.init) ?? 0
        return after(delivery, fault, asked: .seconds(min(max(0, seconds), 86_400)))
    }

    private func after(
        _ delivery: EventDelivery, _ fault: DeliveryFault, asked: Duration?
    ) -> DeliveryOutcome {
        let wait = configuration.schedule.wait(
            after: delivery.attempt, asked: asked, random: random())
        return wait.map { .retry(after: $0, fault) } ?? .dead(fault)
    }

    private func request(of event: QuotaEvent) throws(CurlFailure) -> CurlRequest {
        let message = WebhookMessage(event)
        let signed: [(name: String, value: String)]
        do throws(OpenSSLError) {
            signed = try message.headers(signedWith: configuration.secret, at: time.wall)
        } catch {
            preconditionFailure("a webhook's secret is a key, since it was read as one: \(error)")
        }
        var request = CurlRequest(
            method: .post, url: configuration.url,
            headers: [
                (name: "content-type", value: "application/json"),
                (name: "accept-encoding", value: "identity"),
                (name: "user-agent", value: "turnpike"),
            ] + signed, body: message.body)
        request.connectTimeout = min(request.connectTimeout, configuration.timeout)
        request.firstByteTimeout = configuration.timeout
        request.idleTimeout = configuration.timeout
        request.totalTimeout = configuration.timeout
        request.maximumResponseBytes = Self.largestAnswer
        // Few and far between: each on a connection of its own.
        request.connection = .fresh
        configuration.transport.bind(&request)
        return request
    }

    /// A failure in words that name neither host nor URL.
    private static func words(_ failure: CurlFailure) -> String {
        switch failure.phase {
        case .resolve: "its name could not be resolved"
        case .forbiddenAddress: "its address is not permitted"
        case .connect: "it could not be reached"
        case .connectTimeout: "it did not accept a connection in time"
        case .tls: "no secure connection to it could be made"
        case .send, .receive: "the connection to it was lost"
        case .firstByteTimeout, .idleTimeout, .totalTimeout: "it did not answer in time"
        case .tooLarge, .protocolError: "its answer was no valid HTTP"
        case .invalidRequest: "its URL cannot be used"
        case .overloaded, .cancelled, .shutdown, .internalError:
            "the message could not be sent"
        }
    }
}
