import Curl
public import Domain
public import Logging

/// Asks an upstream for its list of models, which costs nothing, to see whether it would answer.
public struct UpstreamProbe: Sendable {
    /// What came of asking with one key.
    public enum Outcome: Sendable, Equatable {
        /// It answered. `expires` is when its certificate ends; nil without TLS.
        case answered(status: Int, expires: Timestamp?)
        /// It did not. The sentence is for the operator: it may name hosts and addresses.
        case failed(reason: String)
    }

    private let url: String
    private let headers: [[(name: String, value: String)]]
    private let secrets: [[UInt8]]
    private let transport: UpstreamTransport
    private let timeout: Duration

    /// Makes a probe of a backend that waits for at most `timeout`; nil for one that this gateway
    /// runs itself.
    public init?(_ backend: BackendConfiguration, timeout: Duration) {
        let credentials: [UpstreamCredential]
        switch backend {
        case .localEngine: return nil
        case .openAI(let upstream):
            url = upstream.baseURL[...].trimmingSlashes + "/models"
            credentials = upstream.credentials
            headers = Self.each(credentials) { credential in
                credential.map { [(name: "authorization", value: $0.bearer)] } ?? []
            }
            transport = upstream.transport
        case .anthropic(let upstream):
            url = upstream.modelsEndpoint
            credentials = upstream.credentials
            headers = Self.each(credentials) { credential in
                [(name: "anthropic-version", value: upstream.version)]
                    + (credential.map { [(name: "x-api-key", value: $0.plain)] } ?? [])
            }
            transport = upstream.transport
        }
        secrets = credentials.map(\.bytes)
        self.timeout = timeout
    }

    /// Asks once with each key, or without one where there is none, in the keys' order.
    public func run(logger: Logger) async -> [Outcome] {
        let client: CurlClient
        do throws(CurlFailure) {
            client = try CurlClient(logger: logger)
        } catch {
            return headers.map { _ in .failed(reason: error.description) }
        }
        var outcomes: [Outcome] = []
        for headers in headers { outcomes.append(await ask(client, headers)) }
        await client.shutdown()
        return outcomes
    }

    private func ask(
        _ client: CurlClient, _ headers: [(name: String, value: String)]
    ) async -> Outcome {
        var request = CurlRequest(
            method: .get, url: url,
            headers: headers + [
                (name: "accept", value: "application/json"),
                (name: "user-agent", value: "turnpike"),
            ])
        // Each key is asked on a connection of its own: what one sees is what a new call would see.
        request.connection = .fresh
        transport.bind(&request)
        request.connectTimeout = timeout
        request.firstByteTimeout = timeout
        request.idleTimeout = timeout
        request.totalTimeout = timeout
        request.readsCertificate = true
        do throws(CurlFailure) {
            let response = try await client.execute(request)
            // The status says it all; the list is left unread.
            response.body.cancel()
            return .answered(
                status: response.status,
                expires: response.certificateExpiry.flatMap(Self.time(ofCertificate:)))
        } catch {
            let failure = BackendFailure(error, redacting: secrets)
            return .failed(reason: "\(error.description) \(failure.detail)")
        }
    }

    private static func each(
        _ credentials: [UpstreamCredential],
        _ headers: (UpstreamCredential?) -> [(name: String, value: String)]
    ) -> [[(name: String, value: String)]] {
        credentials.isEmpty ? [headers(nil)] : credentials.map(headers)
    }

    /// Reads the two ways in which TLS libraries write an instant: `Nov  1 12:00:00 2026 GMT`
    /// (ASN1_TIME_print of OpenSSL) and `2026-11-01 12:00:00 GMT` (libcurl's own, for GnuTLS); nil
    /// for any other.
    static func time(ofCertificate text: String) -> Timestamp? {
        let words = text.split(separator: " ")
        guard words.last == "GMT" else { return nil }
        if words.count == 3 { return Timestamp(utc: "\(words[0])T\(words[1])Z") }
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        guard words.count == 5, let month = months.firstIndex(of: String(words[0])) else {
            return nil
        }
        func padded(_ number: some StringProtocol) -> String {
            number.count == 1 ? "0\(number)" : String(number)
        }
        return Timestamp(
            utc: "\(words[3])-\(padded(String(month + 1)))-\(padded(words[1]))T\(words[2])Z")
    }
}
