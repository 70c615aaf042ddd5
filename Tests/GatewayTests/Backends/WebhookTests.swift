import Curl
import Domain
import Foundation
import OpenSSL
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Events on their way to a receiver that does what it likes.
@Suite(.timeLimit(.minutes(1))) struct Webhooks {
    private static let secretText = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private static func secret() throws -> WebhookSecret {
        try #require(WebhookSecret(Array(secretText.utf8)))
    }

    private static let event = QuotaEvent(
        id: EventID(at: Timestamp(microseconds: 1_700_000_000_000_000), random: (1, 2)),
        kind: .warning, createdAt: Timestamp(microseconds: 1_700_000_000_000_000),
        organization: .default, organizationName: "default",
        reached: QuotaEvent.Reached(
            account: AccountKey(
                subject: Subject(kind: .team, id: 5), resource: .tokens, period: .day,
                start: CalendarDay(year: 2023, month: 11, day: 14)),
            model: nil, subjectName: "research \"A\"", key: nil, percent: 80, limit: 1000, used: 830
        ))

    private static func delivery(_ attempt: Int64 = 1) -> EventDelivery {
        EventDelivery(event: event, webhook: "ops", attempt: attempt)
    }

    /// A clock that stands still.
    private struct Stopped: TimeSource {
        let wall = Timestamp(microseconds: 1_700_000_005_900_000)
        let uptime = Uptime(microseconds: 0)
    }

    private static func with(
        _ steps: [ScriptedUpstream.Step], timeout: Duration = .seconds(20),
        addresses: AddressPolicy = AddressPolicy(permitsPrivate: true, exceptions: []),
        metrics: MetricsRegistry = MetricsRegistry(),
        _ body: (WebhookSender, ScriptedUpstream) async throws -> Void
    ) async throws {
        let server = try ScriptedUpstream { _ in steps }
        defer { server.stop() }
        var configuration = WebhookConfiguration(
            name: "ops", url: "http://127.0.0.1:\(server.port)/hook?token=t", secret: try secret())
        configuration.timeout = timeout
        configuration.transport.addresses = addresses
        configuration.schedule = DeliverySchedule(
            attempts: 3, backoff: .seconds(4), longestBackoff: .seconds(60))
        let client = try CurlClient(logger: .quiet)
        try await body(
            WebhookSender(
                configuration: configuration, client: client,
                metrics: WebhookMetrics("ops", in: metrics), time: Stopped(),
                random: { .max }),
            server)
        await client.shutdown()
    }

    @Test func `a message says what was reached, and its signature can be checked by anybody`()
        async throws
    {
        try await Self.with([.head(204, [("content-length", "0")])]) { sender, server in
            #expect(await sender.send(Self.delivery()) == .delivered(status: 204))
            let request = await server.request(0)
            #expect(request.method == "POST" && request.path == "/hook?token=t")
            #expect(request.header("content-type") == "application/json")
            let id = try #require(request.header("webhook-id"))
            #expect(id == Self.event.id.description)
            #expect(request.header("webhook-timestamp") == "1700000005")
            let key = try #require(Data(base64Encoded: String(Self.secretText.dropFirst(6))))
            let tag = try HMACSHA256(key: Array(key)).authenticate(
                Array("\(id).1700000005.\(request.text)".utf8))
            #expect(
                request.header("webhook-signature") == "v1,\(Data(tag).base64EncodedString())")
            #expect(
                request.text == """
                    {"id":"\(id)","type":"quota.warning","timestamp":"2023-11-14T22:13:20Z",\
                    "data":{"organization":"default","subject":"team",\
                    "subject_name":"research \\"A\\"","model":null,"resource":"tokens","unit":"tokens",\
                    "period":"day","period_start":"2023-11-14",\
                    "resets_at":"2023-11-15T00:00:00Z","threshold_percent":80,"limit":1000,\
                    "used":830,"soft":false}}
                    """)
        }
    }

    // The example of the specification: https://github.com/standard-webhooks/standard-webhooks,
    // spec/standard-webhooks.md, "Signature scheme".
    @Test func `base64 and the tag are those of the specification's own libraries`() throws {
        let tag = try HMACSHA256(key: Self.secret().bytes).authenticate(
            Array(#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#.utf8))
        #expect(Base64.encoded(tag) == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            #expect(Base64.encoded(bytes) == Data(bytes).base64EncodedString())
        }
    }

    @Test(arguments: [
        "", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_!!!!",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
    ])
    func `what is no secret of the specification is refused`(_ text: String) {
        #expect(WebhookSecret(Array(text.utf8)) == nil)
    }

    @Test func `a secret cannot be printed`() throws {
        let secret = try Self.secret()
        var dumped = ""
        dump(secret, to: &dumped)
        #expect("\(secret) \(String(reflecting: secret))" == "[redacted] [redacted]")
        #expect(dumped == "- [redacted]\n")
    }

    private struct Lie: Sendable, CustomTestStringConvertible {
        let name: String
        let steps: [ScriptedUpstream.Step]
        let status: Int?
        let reason: String
        var testDescription: String { name }
    }

    private static let lies = [
        Lie(
            name: "a server error", steps: ScriptedUpstream.Step.json(500, "no"), status: 500,
            reason: "it answered 500"),
        Lie(
            name: "a redirect",
            steps: [.head(302, [("location", "http://127.0.0.1:1/"), ("content-length", "0")])],
            status: 302, reason: "it answered 302; redirects are not followed"),
        Lie(
            name: "nothing", steps: [.silence], status: nil, reason: "it did not answer in time"),
        Lie(
            name: "a closed door", steps: [.drop], status: nil,
            reason: "the connection to it was lost"),
        Lie(name: "a reset", steps: [.reset], status: nil, reason: "the connection to it was lost"),
        Lie(
            name: "no HTTP", steps: [.raw(Array("what?\r\n\r\n".utf8)), .drop], status: nil,
            reason: "its answer was no valid HTTP"),
        Lie(
            name: "a head without end",
            steps: [
                .raw(Array("HTTP/1.1 200 OK\r\n".utf8)),
                .raw(Array(String(repeating: "a: b\r\n", count: 20_000).utf8)), .silence,
            ], status: nil, reason: "its answer was no valid HTTP"),
    ]

    @Test(arguments: lies) private func `what is no success is tried again, and then given up`(
        _ lie: Lie
    ) async throws {
        let isSilent = lie.name == "nothing"
        try await Self.with(lie.steps, timeout: isSilent ? .milliseconds(300) : .seconds(20)) {
            sender, server in
            let fault = DeliveryFault(status: lie.status, reason: lie.reason)
            #expect(
                await sender.send(Self.delivery(1)) == .retry(after: .seconds(4), fault))
            #expect(
                await sender.send(Self.delivery(2)) == .retry(after: .seconds(16), fault))
            #expect(await sender.send(Self.delivery(3)) == .dead(fault))
            #expect(Set(server.requests.map { $0.header("webhook-id") }).count == 1)
        }
    }

    @Test func `a success is one however its body goes on`() async throws {
        let endless: [ScriptedUpstream.Step] =
            [.head(200, [])]
            + Array(repeating: .body(Array(repeating: 65, count: 65_536)), count: 40)
            + [.silence]
        try await Self.with(endless) { sender, _ in
            #expect(await sender.send(Self.delivery()) == .delivered(status: 200))
        }
    }

    @Test func `a receiver that is gone is not asked again, and one that asks for time gets it`()
        async throws
    {
        try await Self.with([.head(410, [("content-length", "0")])]) { sender, _ in
            let fault = DeliveryFault(status: 410, reason: "it answered 410")
            #expect(await sender.send(Self.delivery()) == .dead(fault))
        }
        let busy: [ScriptedUpstream.Step] = [
            .head(429, [("retry-after", "30"), ("content-length", "0")])
        ]
        try await Self.with(busy) { sender, _ in
            let fault = DeliveryFault(status: 429, reason: "it answered 429")
            #expect(
                await sender.send(Self.delivery()) == .retry(after: .seconds(30), fault))
        }
    }

    @Test func `an address that is not permitted is not connected to`() async throws {
        try await Self.with([.drop], addresses: .publicOnly) { sender, server in
            let fault = DeliveryFault(status: nil, reason: "its address is not permitted")
            #expect(
                await sender.send(Self.delivery()) == .retry(after: .seconds(4), fault))
            #expect(server.connectionCount == 0)
        }
    }

    /// Gives out deliveries once, and remembers what became of them.
    private final class Outbox: EventOutbox {
        let waiting: Mutex<[EventDelivery]>
        let noted = Mutex<[DeliveryOutcome]>([])
        init(_ deliveries: [EventDelivery]) { waiting = Mutex(deliveries) }

        func claim(
            for webhook: String, most: Int, lease: Duration
        ) async throws(LedgerFault) -> [EventDelivery] {
            waiting.withLock { waiting in
                let some = Array(waiting.filter { $0.webhook == webhook }.prefix(most))
                waiting.removeAll(where: some.contains)
                return some
            }
        }

        func note(
            _ outcome: DeliveryOutcome, of delivery: EventDelivery
        ) async throws(LedgerFault) { noted.withLock { $0.append(outcome) } }

        func oldestAge(for webhook: String) async throws(LedgerFault) -> Duration? {
            waiting.withLock { $0.isEmpty ? nil : .milliseconds(90_500) }
        }
    }

    @Test func `what becomes of events is counted, and the age of the oldest is told`() async throws
    {
        let metrics = MetricsRegistry()
        let label = "turnpike_webhook_deliveries_total{webhook=\"ops\",outcome="
        try await Self.with(ScriptedUpstream.Step.json(500, "no"), metrics: metrics) {
            sender, _ in
            // Of three tries the third is the last.
            let outbox = Outbox((2...3).map { Self.delivery(Int64($0)) })
            let service = WebhookService(
                senders: [sender], outbox: outbox, pause: { _ in }, time: Stopped(),
                logger: .quiet)
            #expect(metrics.text().contains("\(label)\"failed\"} 0\n"))
            try await service.measure(sender)
            let age = "turnpike_webhook_oldest_undelivered_seconds{webhook=\"ops\"}"
            #expect(metrics.text().contains("\(age) 90.5\n"))
            _ = try await service.round(sender)
            try await service.measure(sender)
            #expect(metrics.text().contains("\(age) 0\n"))
        }
        try await Self.with([.head(204, [("content-length", "0")])], metrics: metrics) {
            sender, _ in
            let service = WebhookService(
                senders: [sender], outbox: Outbox([Self.delivery()]), pause: { _ in },
                time: Stopped(), logger: .quiet)
            _ = try await service.round(sender)
        }
        for outcome in ["delivered", "failed", "dead"] {
            #expect(metrics.text().contains("\(label)\"\(outcome)\"} 1\n"), "\(outcome)")
        }
    }

    @Test func `a round sends some at once and notes each; what is cut short is not noted`()
        async throws
    {
        let gate = ScriptedUpstream.Gate()
        try await Self.with([.wait(gate), .head(200, [("content-length", "0")])]) {
            sender, server in
            let outbox = Outbox((1...20).map { Self.delivery(Int64($0)) })
            let service = WebhookService(
                senders: [sender], outbox: outbox, pause: { _ in }, time: Stopped(),
                logger: .quiet)
            let round = Task { try await service.round(sender) }
            _ = await server.request(WebhookService.mostAtOnce - 1)
            #expect(server.requests.count == WebhookService.mostAtOnce)
            gate.open()
            let sent = try await round.value
            #expect(sent == WebhookService.mostAtOnce)
            #expect(outbox.noted.withLock { $0 }.count == WebhookService.mostAtOnce)
        }
        try await Self.with([.silence]) { sender, server in
            let outbox = Outbox([Self.delivery()])
            let service = WebhookService(
                senders: [sender], outbox: outbox, pause: { _ in }, time: Stopped(),
                logger: .quiet)
            let round = Task { try await service.round(sender) }
            _ = await server.request(0)
            round.cancel()
            _ = try await round.value
            #expect(outbox.noted.withLock { $0 }.isEmpty)
        }
    }
}
