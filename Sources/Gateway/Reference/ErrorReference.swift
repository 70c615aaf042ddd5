import Domain

/// One line of the table of errors. All but its meaning is asked of the one place that says what a
/// failure is in HTTP.
struct ErrorReference: Sendable {
    /// Which answers may be it.
    enum Scope: Sendable {
        /// Any request's.
        case any
        /// Of what takes a key.
        case key
        case completion, model
        /// Of what reads a key's books, and of its usage alone.
        case books, usage
        /// Of what is no operation.
        case elsewhere
    }

    let answer: ErrorAnswer
    /// When it comes, in one sentence.
    let meaning: String
    let scope: Scope

    /// Makes the line of a failure.
    init(_ failure: GatewayFailure, _ scope: Scope, _ meaning: String) {
        answer = failure.answer(spread: 0)
        self.scope = scope
        self.meaning = meaning
    }

    /// The names of the headers that come with it.
    var headers: [String] { answer.headers.map(\.name) }
}

extension ErrorReference {
    /// Every error there is, by status.
    static func all(_ limits: ReferenceLimits) -> [ErrorReference] {
        let lines =
            transport(limits) + keys + books + RequestFault.Code.allCases.map(line) + models
            + idempotency
            + quotas + backends
        return lines.enumerated().sorted {
            ($0.element.answer.status, $0.offset) < ($1.element.answer.status, $1.offset)
        }.map(\.element)
    }

    private static func transport(_ limits: ReferenceLimits) -> [ErrorReference] {
        [
            ErrorReference(.malformedHTTP, .any, "The bytes are no plain HTTP/1.1 request."),
            ErrorReference(.pathUnknown, .elsewhere, "Nothing is at this path."),
            ErrorReference(
                .methodNotAllowed(allowed: "POST"), .elsewhere, "The path takes another method."),
            ErrorReference(.requestTimeout, .any, "The request did not arrive in time."),
            ErrorReference(
                .bodyTooLarge(limit: limits.bodyBytes), .any,
                "The body has more than \(limits.bodyBytes) bytes."),
            ErrorReference(
                .invalidRequest(
                    RequestFault("The body is refused.", parameter: nil, code: nil)), .completion,
                "The body is not JSON, or is beyond what is read of it."),
            ErrorReference(
                .unsupportedMediaType, .completion, "The body is not said to be JSON."),
            ErrorReference(.unsupportedContentEncoding, .completion, "The body is compressed."),
            ErrorReference(.headersTooLarge, .any, "The line and headers are too large."),
            ErrorReference(.draining, .key, "The gateway is restarting: another one may serve."),
        ]
    }

    private static let keys = [
        ErrorReference(.keyMissing, .key, "There is no API key."),
        ErrorReference(.keyRefused, .key, "The API key is wrong, expired or revoked."),
        ErrorReference(.keySuspended(.key), .key, "The API key is suspended."),
        ErrorReference(.keySuspended(.team), .key, "The API key's team is suspended."),
        ErrorReference(
            .keySuspended(.organization), .key, "The API key's organization is suspended."),
        ErrorReference(.endpointForbidden(.chat), .key, "The API key may not call this path."),
        ErrorReference(
            .keyThrottled(retryAfter: .seconds(1)), .key,
            "Too many wrong keys came from this address."),
        ErrorReference(.directoryUnavailable, .key, "Keys cannot be checked now."),
    ]

    private static let books = [
        ErrorReference(
            .booksThrottled(retryAfter: .seconds(1)), .books,
            "The key asks for its usage and quotas too often."),
        ErrorReference(
            .booksUnavailable, .books,
            "The ledger cannot be asked now, or too many ask at the same time."),
        ErrorReference(
            .invalidRequest(
                RequestFault("'by' is wrong.", parameter: "by", code: .invalidValue)), .usage,
            "A parameter of the query is wrong."),
    ]

    private static let models = [
        ErrorReference(.modelForbidden("a"), .completion, "The key may not use the model."),
        ErrorReference(.modelUnknown("a"), .completion, "There is no such model."),
        ErrorReference(.modelRetired("a"), .completion, "The model is no longer served."),
        ErrorReference(
            .modelUnpriced("a"), .completion,
            "The model has no price, and a limit on cost applies to the key."),
        ErrorReference(.modelRetired("a"), .model, "The model is no longer served."),
        ErrorReference(
            .modelUnknown("a"), .model, "There is no such model, or the key may not use it."),
    ]

    private static let idempotency = [
        ErrorReference(
            .idempotencyInProgress(first: RequestID(rawValue: 0)), .completion,
            "The first request with this Idempotency-Key is still being answered."),
        ErrorReference(
            .idempotencyEnded(
                IdempotentEnd(
                    requestID: RequestID(rawValue: 0), usage: .none, endState: .finished,
                    answer: nil)), .completion,
            "The first request with this Idempotency-Key is over and was charged: its id, its end "
                + "and its usage are in the error."),
        ErrorReference(
            .idempotencyKeyReused, .completion,
            "The Idempotency-Key was used for another request."),
    ]

    private static let quotas =
        [
            line(.rateLimited(.tokensPerMinute), .tokens, "Too many tokens per minute."),
            line(.rateLimited(.requestsPerMinute), .requests, "Too many requests per minute."),
            line(
                .rateLimited(.concurrentRequests), .requests, "Too many requests at the same time."
            ),
            line(
                .quotaExhausted, .tokens,
                "A quota has no room left for this request. `x-should-retry` says whether waiting "
                    + "helps soon."),
            line(
                .quotaReserved, .tokens,
                "Requests that still run hold the rest of a quota; it may come free at once."),
            line(
                .quotaReserved, .requests,
                "Requests that still run hold the rest of a quota of requests."),
            line(
                .keyShareReserved(most: 1000), .tokens,
                "The key's own requests that still run hold as much of a shared quota as one key may."
            ),
            line(
                .exceedsKeyShare(most: 1000), .tokens,
                "The request may need more than one key may hold of a shared quota at a time: ask "
                    + "for fewer tokens."),
            line(
                .exceedsLimit, .tokens,
                "The request may need more than a whole quota: ask for fewer tokens."),
        ] + [
            ErrorReference(
                .meteringUnavailable(.fenced), .completion, "The gateway is rejoining its ledger."),
            ErrorReference(
                .meteringUnavailable(.unavailable), .completion, "Usage cannot be recorded now."),
        ]

    private static let backends = [
        ErrorReference(
            .backend(.contextExceeded(promptTokens: nil, contextTokens: nil)), .completion,
            "The messages do not fit the model's context."),
        ErrorReference(
            .backend(.invalidRequest), .completion,
            "The model's backend does not take what this gateway found good."),
        ErrorReference(.backend(.unreachable), .completion, "The backend cannot be reached."),
        ErrorReference(
            .backend(.malformed), .completion,
            "The backend's answer is broken. It may have used tokens, so it is not worth a loop."),
        ErrorReference(.backend(.timedOut), .completion, "The backend did not answer in time."),
        ErrorReference(
            .backend(.notReady(retryAfter: .seconds(1))), .completion, "The model is loading."),
        ErrorReference(
            .backend(.rateLimited(retryAfter: nil)), .completion, "The backend is overloaded."),
        ErrorReference(
            .backend(.busy(retryAfter: .seconds(1))), .completion,
            "The model is busy, and the request's turn did not come in time. It cost nothing."),
        ErrorReference(.noBackend, .completion, "No backend serves the model now."),
        ErrorReference(
            .safeguardUnavailable, .completion, "A check that was asked for cannot be made now."),
    ]

    private static func line(
        _ reason: Denial.Reason, _ resource: Resource, _ meaning: String
    ) -> ErrorReference {
        let denial = Denial(
            reason: reason, subject: Subject(kind: .key, id: 0), resource: resource, period: .day,
            limit: 2000, used: 1800, reserved: 100, requested: 300, retryAfter: .seconds(1),
            resetsAt: nil)
        return ErrorReference(
            .denied(denial, largestCompletion: nil), .completion, meaning)
    }
}

extension ErrorReference {
    /// The line of a code of refused requests: in a switch without `default`, so that none is
    /// forgotten.
    private static func line(_ code: RequestFault.Code) -> ErrorReference {
        ErrorReference(
            .invalidRequest(RequestFault(meaning(of: code), parameter: nil, code: code)),
            code == .duplicateHeader ? .key : .completion, meaning(of: code))
    }

    private static func meaning(of code: RequestFault.Code) -> String {
        switch code {
        case .missingRequiredParameter: "A parameter that must be there is not."
        case .unsupportedParameter: "This gateway, or the model's backend, cannot do what is asked."
        case .invalidType: "A value has the wrong JSON type."
        case .invalidValue: "A value is none of the possible ones, or contradicts another."
        case .emptyArray: "A list has no items."
        case .arrayAboveMaxLength: "A list has too many items."
        case .objectAboveMaxLength: "An object has too many entries."
        case .stringAboveMaxLength: "A string is too long."
        case .decimalAboveMaxValue, .integerAboveMaxValue: "A number is too large."
        case .decimalBelowMinValue, .integerBelowMinValue: "A number is too small."
        case .personalDataDetected: "There is personal data in the messages (`input.pii`)."
        case .promptInjectionDetected:
            "The messages try to override the model's instructions (`input.block_prompt_injection`)."
        case .toxicityCheckFailed:
            "The answer is toxic (`output.toxicity`). Its tokens are charged."
        case .factualityCheckFailed:
            "The answer states what is not so (`output.factuality`). Its tokens are charged."
        case .duplicateHeader:
            "The request has more than one Authorization or Idempotency-Key header."
        case .invalidIdempotencyKey:
            "The Idempotency-Key is empty, too long or not visible ASCII."
        }
    }
}
