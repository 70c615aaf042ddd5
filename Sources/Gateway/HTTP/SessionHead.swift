import Domain
import NIOHTTP1

/// Makes the heads of a session's answers, also of one that is shown before there is an answer.
struct SessionHead: Sendable {
    let core: GatewayCore
    let exchange: Exchange
    /// `x-request-id`.
    let requestIDText: String
    /// Who is calling; nil for a caller that is not known.
    let principal: Principal?
    let version: HTTPVersion

    /// The head of an answer of `length` bytes, or of a stream when nil, as one of this request or of
    /// `other`.
    func make(
        _ status: HTTPResponseStatus, type: String, length: Int?, more: [ErrorAnswer.Header],
        as other: RequestID?, closes: Bool
    ) -> HTTPResponseHead {
        let more = more + backendHeaders + clampHeaders
        let spent = core.time.uptime - exchange.receivedAt
        return AnswerHead(
            requestID: other.map(Session.text) ?? requestIDText,
            processingMilliseconds: spent.microseconds / 1000,
            standing: principal.map {
                core.ledger.standing(of: $0, for: exchange.notes.content.model)
            }, closes: closes
        ).make(status, type: type, length: length, version: version, more: more)
    }

    /// Who answered, for clients that may know: nobody, unless the configuration says so.
    private var backendHeaders: [ErrorAnswer.Header] {
        guard core.configuration.routing.showsBackends else { return [] }
        let notes = exchange.notes.content
        guard let backend = notes.backend, !notes.isBlocked else { return [] }
        return [
            ErrorAnswer.Header(name: "x-turnpike-backend", value: backend),
            ErrorAnswer.Header(name: "x-turnpike-attempts", value: String(notes.attemptCount)),
        ]
    }

    /// That the key's bound was made smaller, and to what.
    private var clampHeaders: [ErrorAnswer.Header] {
        guard let bound = exchange.notes.content.clampedBound else { return [] }
        return [
            ErrorAnswer.Header(name: "x-turnpike-max-completion-tokens", value: String(bound))
        ]
    }
}
