import Domain
import NIOCore

/// `POST /v1/chat/completions`: runs the pipeline and writes what it gives.
enum ChatCompletionEndpoint {
    /// Answers a valid request.
    static func respond(
        to request: ChatCompletionRequest, from principal: Principal, _ session: inout Session
    ) async throws(GatewayFailure) {
        let response = try await session.core.pipeline.respond(
            to: request, from: principal, in: session.exchange)
        let identity = CompletionIdentity(
            session.exchange.requestID, createdAt: session.exchange.receivedAtWall,
            model: request.model,
            backend: session.exchange.notes.content.backend ?? "")
        let style = AnswerStyle(request, for: principal)
        switch consume response {
        case .whole(let answer):
            session.send(ChatCompletionWriter.write(answer, identity, in: style))
        case .stream(let stream):
            try await write(stream, ServerSentEventWriter(identity, in: style), &session)
        }
    }

    private static func write(
        _ stream: consuming MeteredStream, _ writer: consuming ServerSentEventWriter,
        _ session: inout Session
    ) async throws(GatewayFailure) {
        session.beginStream()
        writer.begin(choice: 0)
        // Goes out with the first text when that is here already, at once otherwise.
        var isReading = await session.send(events: writer.take(), flush: !stream.beginsWithText)
        while isReading {
            switch await stream.next() {
            case .pieces(let pieces):
                for piece in pieces { writer.append(piece) }
                isReading = await session.send(events: writer.take(), flush: true)
                Failpoint.pass("after-write")
            case .end(let end):
                for reason in end.finishReasons { writer.append(reason) }
                writer.finish(usage: end.usage, end.timings)
                Failpoint.pass("before-done")
                return session.endStream(events: writer.take())
            case .failure(let failure): throw failure
            }
        }
        await stream.abandon()
        throw session.connection.presence.departure == .drained ? .draining : .clientGone
    }
}
