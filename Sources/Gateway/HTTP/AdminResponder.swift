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
        var closes = connection.isClosing
        var isHead = false
        var response: AdminResponse
        switch arrival {
        case .refused(let failure, let head):
            let isLast: Bool
            (response, isLast) = refuse(failure, head)
            closes = closes || isLast
        case .request(let request):
            closes = closes || !request.head.isKeepAlive
            isHead = request.head.method == .HEAD
            if let api, Self.isAdministration(request.head) {
                response = await api.respond(to: Self.request(request))
                // It may have stopped while the ledger was asked.
                closes = closes || connection.isClosing
            } else {
                do throws(GatewayFailure) {
                    var mediaType = "application/json"
                    let (status, body) = try await self.answer(request.head, &mediaType)
                    response = AdminResponse(
                        status: Int(status.code), contentType: mediaType, body: body)
                } catch {
                    let isLast: Bool
                    (response, isLast) = refuse(error, nil)
                    closes = closes || isLast
                }
            }
        }
        if let pieces = response.pieces {
            return await send(response, pieces, closes, on: connection)
        }
        var head = Self.head(response, closes)
        head.headers.add(name: "content-length", value: String(response.body.count))
        let body = isHead ? ByteBuffer() : ByteBuffer(bytes: response.body)
        connection.send(.whole(head, body, closes: closes), flush: true)
        return !closes
    }

    private static func isAdministration(_ head: HTTPRequestHead) -> Bool {
        Routes.path(of: head.uri).hasPrefix(AdminPath.root)
    }

    /// What a failure of the listener is answered, and whether it is the last of the connection.
    private func refuse(
        _ failure: GatewayFailure, _ head: HTTPRequestHead?
    ) -> (AdminResponse, closes: Bool) {
        let answer = failure.answer(spread: 0)
        if let api, let head, Self.isAdministration(head) {
            return (api.refuse(status: answer.status, message: answer.message), answer.closes)
        }
        let response = AdminResponse(
            status: answer.status, headers: answer.headers.map { ($0.name, $0.value) },
            body: answer.body(requestID: ""))
        return (response, answer.closes)
    }

    private static func head(_ response: AdminResponse, _ closes: Bool) -> HTTPResponseHead {
        var headers = HTTPHeaders([
            ("content-type", response.contentType), ("cache-control", "no-store"),
        ])
        for header in response.headers { headers.add(name: header.name, value: header.value) }
        if closes { headers.add(name: "connection", value: "close") }
        return HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: response.status),
            headers: headers)
    }

    /// Sends an answer piece by piece, the next one read only when the client has taken the one
    /// before. A client that leaves ends it. One that breaks off is cut without the chunk that
    /// would end it, so that nobody takes what came for the whole.
    private func send(
        _ response: AdminResponse, _ pieces: any AdminPieces, _ closes: Bool,
        on connection: Connection
    ) async -> Bool {
        var head = Self.head(response, closes)
        head.headers.add(name: "transfer-encoding", value: "chunked")
        connection.send(.open(head), flush: true)
        var piece = AdminPiece.bytes(response.body)
        while true {
            switch piece {
            case .bytes(let bytes):
                if !bytes.isEmpty {
                    connection.send(.piece(ByteBuffer(bytes: bytes)), flush: true)
                }
            case .end:
                // Whoever stops meanwhile closes behind it.
                let isLast = closes || connection.isClosing
                connection.send(.end(closes: isLast), flush: true)
                return !isLast
            case .broken:
                connection.channel.close(promise: nil)
                return false
            }
            guard await connection.writable() else {
                connection.channel.close(promise: nil)
                return false
            }
            piece = await pieces.next()
        }
    }

    /// A request without anything of this server's in it.
    private static func request(_ request: ReceivedRequest) -> AdminRequest {
        let uri = request.head.uri
        let query = uri.firstIndex(of: "?").map { uri[uri.index(after: $0)...] } ?? ""
        var known = AdminRequest(
            method: request.head.method.rawValue, path: String(Routes.path(of: uri)),
            query: String(query),
            headers: request.head.headers.map { ($0.name.lowercased(), $0.value) },
            body: Array(buffer: request.body))
        // Before, an answer ended with its connection, as does one that breaks off.
        let version = request.head.version
        known.takesPieces = (version.major, version.minor) >= (1, 1)
        return known
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
