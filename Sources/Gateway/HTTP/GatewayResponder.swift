import Domain
import JSON
import Logging
import NIOCore
import NIOHTTP1

/// Answers the requests of one connection on the main listener.
struct GatewayResponder: Responder {
    let core: GatewayCore
    let executor: EventLoopExecutor
    let parser: JSONParser

    /// Makes the responder of a connection.
    init(_ core: GatewayCore, executor: EventLoopExecutor) {
        self.core = core
        self.executor = executor
        parser = JSONParser(
            maximumBytes: core.configuration.connection.bodyBytes,
            maximumDepth: core.configuration.jsonDepth, maximumNodes: core.configuration.jsonNodes)
    }

    mutating func respond(to arrival: Arrival, on connection: Connection) async -> Bool {
        let received: ReceivedRequest?
        let head: HTTPRequestHead?
        switch arrival {
        case .request(let request): (received, head) = (request, request.head)
        case .refused(_, let known): (received, head) = (nil, known)
        }
        var session = Session(core, executor, connection, received: received, head: head)
        core.activity.begin()
        defer { core.activity.end() }
        do throws(GatewayFailure) {
            guard case .request(let request) = arrival else {
                if case .refused(let failure, _) = arrival { throw failure }
                return false
            }
            try await answer(request, &session)
        } catch {
            session.fail(error)
        }
        session.log()
        return !session.closes
    }

    private func answer(
        _ request: ReceivedRequest, _ session: inout Session
    ) async throws(GatewayFailure) {
        // Unknown paths are refused before any credential is looked at.
        let path = Routes.path(of: request.head.uri)
        switch try Routes.find(request.head.method.rawValue, path) {
        case .chatCompletions:
            let principal = try await authenticate(request, for: .chat, &session)
            let claim = try IdempotencyHeader.claim(
                in: request, from: principal, session.exchange.requestID)
            let completion = try decode(request)
            let (id, connection) = (session.exchange.requestID, session.connection)
            try core.running.begin(
                id, of: principal.key, since: session.exchange.receivedAt
            ) { end in connection.leave(.keyEnded(end)) }
            defer { core.running.finish(id, of: principal.key) }
            try await ChatCompletionEndpoint.respond(
                to: completion, from: principal, under: claim, &session)
        case .models:
            let principal = try await authenticate(request, for: .models, &session)
            session.send(ModelsEndpoint.list(core.catalog.current.routes(for: principal)))
        case .model(let alias):
            let principal = try await authenticate(request, for: .models, &session)
            switch core.catalog.current.resolve(alias, for: principal) {
            case .route(let route):
                if route.isRetired { throw .modelRetired(ModelsEndpoint.shown(alias)) }
                session.send(ModelsEndpoint.one(route))
            // A model that the key may not use is not in its list either.
            case .forbidden, .unknown: throw .modelUnknown(ModelsEndpoint.shown(alias))
            }
        case .usage:
            let principal = try await authenticate(request, for: .usage, &session)
            try await UsageEndpoint.respond(to: request.head.uri, from: principal, &session)
        case .quota:
            let principal = try await authenticate(request, for: .usage, &session)
            try await QuotaEndpoint.respond(to: principal, &session)
        // The same for everybody, and true while the gateway stops.
        case .reference: session.send(core.documents.reference, for: request.head.headers)
        case .referencePage: session.send(core.documents.page, for: request.head.headers)
        }
    }

    private func authenticate(
        _ request: ReceivedRequest, for scope: KeyScope, _ session: inout Session
    ) async throws(GatewayFailure) -> Principal {
        if core.activity.isDraining { throw .draining }
        let principal = try await BearerAuthentication.authenticate(
            request.head.headers, from: session.connection.peer, with: core.keys)
        session.principal = principal
        session.exchange.notes.update { $0.principal = principal }
        guard principal.mayCall(scope) else { throw .endpointForbidden(scope) }
        return principal
    }

    private func decode(
        _ request: ReceivedRequest
    ) throws(GatewayFailure) -> ChatCompletionRequest {
        let headers = request.head.headers
        guard MediaType.isJSON(headers["content-type"]) else { throw .unsupportedMediaType }
        guard headers["content-encoding"].allSatisfy({ $0.lowercased() == "identity" }) else {
            throw .unsupportedContentEncoding
        }
        let document: JSONDocument
        do {
            document = try parser.parse(request.body.readableBytesUInt8Span)
        } catch {
            throw Self.failure(of: error)
        }
        do {
            return try ChatCompletionRequestReader.read(
                document.root, mostStops: core.configuration.mostStops,
                mostChoices: core.configuration.mostChoices)
        } catch {
            throw .invalidRequest(error)
        }
    }

    /// A body that is no JSON of ours: the parser's words, which are safe to show, and where one
    /// is, the path.
    private static func failure(of error: JSONError) -> GatewayFailure {
        if case .tooLarge(let limit) = error { return .bodyTooLarge(limit: limit) }
        // A name that nobody knows is text of the client's, which may be anything.
        if case .numberOutOfRange(let number) = error, let name = number.member,
            RequestParameter.knows(name)
        {
            return .invalidRequest(.outOfRange(name, number))
        }
        var parameter: String?
        if case .duplicateKey(let path) = error { parameter = path }
        return .invalidRequest(
            RequestFault("The body is refused: \(error).", parameter: parameter, code: nil))
    }
}
