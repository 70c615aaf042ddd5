import Domain
import NIOCore

/// `POST /v1/chat/completions`: runs the pipeline and writes what it gives.
enum ChatCompletionEndpoint {
    /// Answers a valid request, which came with an `Idempotency-Key` if there is a claim on one.
    static func respond(
        to request: ChatCompletionRequest, from principal: Principal,
        under claim: IdempotencyClaim?, _ session: inout Session
    ) async throws(GatewayFailure) {
        var exchange = session.exchange
        exchange.claim = claim
        if request.streams { exchange.announcement = session.announcement() }
        let response = try await session.core.pipeline.respond(
            to: request, from: principal, in: exchange)
        var identity = CompletionIdentity(
            session.exchange.requestID, createdAt: session.exchange.receivedAtWall,
            model: request.model,
            backend: session.exchange.notes.content.backend ?? "")
        let style = AnswerStyle(request, for: principal)
        switch consume response {
        case .stored(let answer, let first): session.send(answer, of: first)
        case .metered(.whole(let answer)):
            identity.serviceTier = answer.serviceTier
            let body = ChatCompletionWriter.write(answer, identity, in: style)
            var recorder = AnswerRecorder(claim, contentType: MediaType.json, in: session.core)
            recorder.take(body)
            await recorder.keep(in: session.core.pipeline.idempotency)
            session.send(body)
        case .metered(.stream(let stream)):
            identity.serviceTier = stream.serviceTier
            let recorder = AnswerRecorder(
                claim, contentType: MediaType.eventStream, in: session.core)
            try await write(
                stream, ServerSentEventWriter(identity, in: style), recorder, &session)
        }
    }

    private static func write(
        _ stream: consuming MeteredStream, _ writer: consuming ServerSentEventWriter,
        _ recorder: AnswerRecorder, _ session: inout Session
    ) async throws(GatewayFailure) {
        var recorder = recorder
        session.beginStream()
        writer.begin(choice: 0)
        var events = writer.take()
        recorder.take(events.readableBytesView)
        // Goes out with the first text when that is here already, at once otherwise.
        var isReading = await session.send(events: events, flush: !stream.beginsWithText)
        while isReading {
            switch await stream.next() {
            case .pieces(let pieces):
                for piece in pieces { writer.append(piece) }
                events = writer.take()
                recorder.take(events.readableBytesView)
                isReading = await session.send(events: events, flush: true)
                Failpoint.pass("after-write")
            case .end(let end):
                for reason in end.finishReasons { writer.append(reason) }
                if let moderation = end.moderation { writer.append(moderation) }
                writer.finish(usage: end.usage, end.parts, end.timings)
                events = writer.take()
                recorder.take(events.readableBytesView)
                await recorder.keep(in: session.core.pipeline.idempotency)
                Failpoint.pass("before-done")
                return session.endStream(events: events)
            case .failure(let failure): throw failure
            }
        }
        await stream.abandon()
        throw (session.connection.presence.departure ?? .clientGone).failure
    }
}
