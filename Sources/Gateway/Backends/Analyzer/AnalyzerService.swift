import Curl
import JSON

/// Finds personal data with an analyzer service over HTTP: names, places and whatever else needs a
/// model. Source of the protocol: Presidio's `docs/api-docs/api-docs.yml`, `POST /analyze`.
///
/// A service that is away, slow or says what cannot be is a failure, never "nothing found".
struct AnalyzerService: TextRecognizer {
    let configuration: AnalyzerConfiguration
    let client: CurlClient
    let isRemote = true

    /// As many findings as the largest body can hold would be some megabytes.
    private static let largestAnswer = 8 << 20

    func findings(in text: String) async throws(RecognizerFailure) -> [EntityFinding] {
        try await findings(inAll: [text])[0]
    }

    func findings(inAll texts: [String]) async throws(RecognizerFailure) -> [[EntityFinding]] {
        guard texts.contains(where: { !$0.isEmpty }) else { return texts.map { _ in [] } }
        let joined = JoinedTexts(texts)
        guard let findings = joined.findings(try await analyze(joined.text)) else {
            throw RecognizerFailure(reason: "the analyzer found something outside of the text")
        }
        return findings
    }

    private func analyze(_ text: String) async throws(RecognizerFailure) -> [CodePointFinding] {
        let response: CurlResponse
        let bytes: [UInt8]
        do throws(CurlFailure) {
            response = try await client.execute(request(text))
            bytes = try await response.body.collect()
        } catch {
            throw RecognizerFailure(reason: "the analyzer did not answer: \(error)")
        }
        guard response.status == 200 else {
            throw RecognizerFailure(reason: "the analyzer answered \(response.status)")
        }
        return try Self.findings(bytes, atLeast: configuration.minimumScore)
    }

    private func request(_ text: String) -> CurlRequest {
        var writer = JSONWriter(capacity: text.utf8.count + 128)
        writer.beginObject()
        writer.key("text")
        writer.string(text)
        writer.key("language")
        writer.string(configuration.language)
        writer.endObject()
        var request = CurlRequest(
            method: .post, url: "\(configuration.baseURL)/analyze",
            headers: [
                (name: "content-type", value: "application/json"),
                (name: "accept", value: "application/json"),
                (name: "accept-encoding", value: "identity"),
                (name: "user-agent", value: "turnpike"),
            ], body: writer.finish())
        request.connectTimeout = configuration.timeout
        request.firstByteTimeout = configuration.timeout
        request.idleTimeout = configuration.timeout
        request.totalTimeout = configuration.timeout
        request.maximumResponseBytes = Self.largestAnswer
        return request
    }

    /// Reads an answer: an array of objects with `entity_type`, `start`, `end` and `score`. The
    /// threshold is applied here, so that it holds whatever the service does with one.
    static func findings(
        _ bytes: [UInt8], atLeast minimumScore: Int
    ) throws(RecognizerFailure) -> [CodePointFinding] {
        let strange = RecognizerFailure(reason: "the analyzer's answer is not Presidio's")
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONParser(
                maximumBytes: largestAnswer, maximumDepth: 16, maximumNodes: 1_000_000
            ).parse(bytes)
        } catch {
            throw strange
        }
        guard document.root.kind == .array else { throw strange }
        var findings: [CodePointFinding] = []
        for element in document.root.elements {
            guard element.kind == .object, let entity = element["entity_type"]?.string,
                let start = element["start"]?.integer, let end = element["end"]?.integer,
                let score = element["score"]?.double, (0...1).contains(score)
            else { throw strange }
            let percent = Int((score * 100).rounded())
            guard percent >= minimumScore else { continue }
            findings.append(
                CodePointFinding(
                    entity: EntityType(entity), start: Int(start), end: Int(end), score: percent))
        }
        return findings
    }
}
