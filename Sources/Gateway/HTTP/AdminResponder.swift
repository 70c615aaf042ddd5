import Domain
import JSON
import NIOCore
import NIOHTTP1

/// Answers the requests of one connection on the admin listener.
struct AdminResponder: Responder {
    let activity: GatewayActivity
    /// Everything below ``AdminPath/root``; nil where the configuration has none of it.
    let api: (any AdminAPI)?
    let metrics: MetricsRegistry
    let readiness: @Sendable () async -> Readiness

    mutating func respond(to arrival: Arrival, on connection: Connection) async -> Bool {
        var answer: (status: HTTPResponseStatus, body: [UInt8])
        var more: [ErrorAnswer.Header] = []
        var closes = connection.isClosing
        var isHead = false
        var mediaType = "application/json"
        do throws(GatewayFailure) {
            switch arrival {
            case .refused(let failure, _): throw failure
            case .request(let request):
                closes = closes || !request.head.isKeepAlive
                isHead = request.head.method == .HEAD
                if let api, Routes.path(of: request.head.uri).hasPrefix(AdminPath.root) {
                    let response = await api.respond(to: Self.request(request))
                    answer = (HTTPResponseStatus(statusCode: response.status), response.body)
                    more = response.headers.map {
                        ErrorAnswer.Header(name: $0.name, value: $0.value)
                    }
                    // It may have stopped while the ledger was asked.
                    closes = closes || connection.isClosing
                } else {
                    answer = try await self.answer(request.head, &mediaType)
                }
            }
        } catch {
            let failure = error.answer(spread: 0)
            answer = (HTTPResponseStatus(statusCode: failure.status), failure.body(requestID: ""))
            more = failure.headers
            closes = closes || failure.closes
        }
        var headers = HTTPHeaders([
            ("content-type", mediaType), ("content-length", String(answer.body.count)),
            ("cache-control", "no-store"),
        ])
        for header in more { headers.add(name: header.name, value: header.value) }
        if closes { headers.add(name: "connection", value: "close") }
        let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
        let body = isHead ? ByteBuffer() : ByteBuffer(bytes: answer.body)
        connection.send(.whole(head, body, closes: closes), flush: true)
        return !closes
    }

    /// A request without anything of this server's in it.
    private static func request(_ request: ReceivedRequest) -> AdminRequest {
        let uri = request.head.uri
        let query = uri.firstIndex(of: "?").map { uri[uri.index(after: $0)...] } ?? ""
        return AdminRequest(
            method: request.head.method.rawValue, path: String(Routes.path(of: uri)),
            query: String(query),
            headers: request.head.headers.map { ($0.name.lowercased(), $0.value) },
            body: Array(buffer: request.body))
    }

    private func answer(
        _ head: HTTPRequestHead, _ mediaType: inout String
    ) async throws(GatewayFailure) -> (HTTPResponseStatus, [UInt8]) {
        switch try Routes.findAdmin(head.method.rawValue, Routes.path(of: head.uri)) {
        case .healthz: return (.ok, Self.body("ok", [:]))
        case .metrics:
            mediaType = "text/plain; version=0.0.4; charset=utf-8"
            return (.ok, Array(metrics.text().utf8))
        case .readyz:
            var readiness = await self.readiness()
            if activity.isDraining { readiness.reasons.append("draining") }
            let lists: KeyValuePairs = [
                "reasons": readiness.reasons, "warnings": readiness.warnings,
            ]
            return readiness.isReady
                ? (.ok, Self.body("ready", lists))
                : (.serviceUnavailable, Self.body("not_ready", lists))
        }
    }

    private static func body(_ status: String, _ lists: KeyValuePairs<String, [String]>) -> [UInt8]
    {
        var writer = JSONWriter(capacity: 128)
        writer.beginObject()
        writer.key("status")
        writer.string(status)
        for (name, lines) in lists where !lines.isEmpty {
            writer.key(name)
            writer.beginArray()
            for line in lines { writer.string(line) }
            writer.endArray()
        }
        writer.endObject()
        return writer.finish()
    }
}
