import Domain

extension GatewayFailure {
    /// What the failure is in HTTP: the one place that says so. No `default`: a new failure does
    /// not compile until it is given its answer.
    ///
    /// - Parameter spread: random bits, for waits.
    func answer(spread: UInt64) -> ErrorAnswer {
        switch self {
        case .invalidRequest(let fault):
            return .invalid(
                400, fault.message, code: fault.code?.rawValue, parameter: fault.parameter)
        case .malformedHTTP: return .invalid(400, "The request is not valid HTTP.").closing()
        case .headersTooLarge:
            return .invalid(431, "The request's line and headers are too large.").closing()
        case .bodyTooLarge(let limit):
            return .invalid(413, "The body is larger than \(limit) bytes.").closing()
        case .unsupportedMediaType:
            return .invalid(415, "The Content-Type must be application/json.")
        case .unsupportedContentEncoding:
            return .invalid(415, "The body must not be compressed: send no Content-Encoding.")
        case .requestTimeout:
            return ErrorAnswer(
                status: 408, type: "timeout_error", code: "request_timeout", parameter: nil,
                message: "The request did not arrive in time."
            ).closing()
        case .pathUnknown: return .invalid(404, "There is nothing at this path.")
        case .methodNotAllowed(let allowed):
            return .invalid(405, "This path takes only \(allowed).").with("allow", allowed)
        case .keyMissing:
            return .invalid(
                401, "No API key was given: send it as 'Authorization: Bearer YOUR_KEY'."
            ).with("www-authenticate", "Bearer")
        case .keyRefused:
            return .invalid(401, "The API key is not valid.", code: "invalid_api_key")
                .with("www-authenticate", "Bearer")
        case .keySuspended(let kind):
            return Self.suspension(of: kind)
        case .endpointForbidden(let scope):
            return ErrorAnswer(
                status: 403, type: "permission_error", code: "endpoint_not_allowed",
                parameter: nil, message: "This API key may not call '\(scope.rawValue)'.")
        case .keyThrottled(let wait):
            return Self.rateLimited("Too many invalid API keys were tried; slow down.")
                .retry(after: wait, spread: spread)
        case .booksThrottled(let wait):
            return Self.rateLimited("Usage and quotas are asked for too often.")
                .retry(after: wait, spread: spread)
        case .idempotencyInProgress, .idempotencyEnded, .idempotencyKeyReused:
            return conflict(spread: spread)
        case .directoryUnavailable, .meteringUnavailable, .draining, .noBackend,
            .safeguardUnavailable, .booksUnavailable:
            return unavailable(spread: spread)
        case .modelForbidden(let model), .modelUnknown(let model), .modelRetired(let model),
            .modelUnpriced(let model):
            return answer(onModel: model)
        case .denied(let denial, let largestCompletion):
            return denial.answer(largestCompletion: largestCompletion, spread: spread)
        case .backend(let kind): return Self.answer(kind, spread: spread)
        case .clientGone:
            // For the log only: nobody reads it.
            return .invalid(499, "The client closed the connection.").closing()
        }
    }

    private static func suspension(of kind: Subject.Kind) -> ErrorAnswer {
        let (who, code) =
            switch kind {
            case .key: ("This API key", "key_suspended")
            case .team: ("This API key's team", "team_suspended")
            case .organization: ("This API key's organization", "organization_suspended")
            }
        return ErrorAnswer(
            status: 403, type: "permission_error", code: code, parameter: nil,
            message: who + " is suspended: ask whoever gave you the key.")
    }

    /// Why the model asked for does not serve the request.
    private func answer(onModel model: String) -> ErrorAnswer {
        switch self {
        case .modelForbidden:
            ErrorAnswer(
                status: 403, type: "permission_error", code: "model_not_allowed",
                parameter: "model", message: "This API key may not use the model '\(model)'.")
        case .modelRetired:
            .invalid(
                410, "The model '\(model)' is no longer served.", code: "model_deprecated",
                parameter: "model")
        case .modelUnpriced:
            ErrorAnswer(
                status: 403, type: "permission_error", code: "model_not_priced",
                parameter: "model",
                message: "The model '\(model)' has no price, and a limit on cost applies to this"
                    + " API key.")
        default:
            .invalid(
                404, "The model '\(model)' does not exist.", code: "model_not_found",
                parameter: "model")
        }
    }

    /// The same for a request that came with an `Idempotency-Key` or not. One that did may be tried
    /// again after a failure of its backend: it was charged nothing, or the retry is told so.
    func answer(spread: UInt64, isIdempotent: Bool) -> ErrorAnswer {
        var answer = answer(spread: spread)
        if isIdempotent, case .backend = self {
            answer.headers.removeAll { $0.name == "x-should-retry" }
        }
        return answer
    }

    private func conflict(spread: UInt64) -> ErrorAnswer {
        switch self {
        case .idempotencyInProgress(let first):
            var answer = ErrorAnswer.invalid(
                409, "The first request with this Idempotency-Key is still being answered.",
                code: "idempotency_in_progress")
            answer.first = ErrorAnswer.First(id: first, end: nil)
            return answer.retry(after: .seconds(1), spread: spread).with("x-should-retry", "true")
        case .idempotencyEnded(let end):
            var answer = ErrorAnswer.invalid(
                409,
                "The first request with this Idempotency-Key is over and was charged; its answer "
                    + "is not kept.", code: "idempotency_replayed")
            answer.first = ErrorAnswer.First(id: end.requestID, end: end)
            return answer.with("x-should-retry", "false")
        default:
            return .invalid(
                422, "This Idempotency-Key was used for another request: use a new one.",
                code: "idempotency_key_reused")
        }
    }

    static func rateLimited(_ message: String) -> ErrorAnswer {
        ErrorAnswer(
            status: 429, type: "requests", code: "rate_limit_exceeded", parameter: nil,
            message: message)
    }

    private func unavailable(spread: UInt64) -> ErrorAnswer {
        switch self {
        case .meteringUnavailable(.fenced):
            return Self.api("The gateway is rejoining its ledger.", "metering_unavailable")
                .retry(after: .seconds(1), spread: spread)
        case .draining:
            return Self.service("The gateway is restarting.", "server_is_overloaded")
                .retry(after: .seconds(1), spread: spread)
        case .safeguardUnavailable:
            return Self.service(
                "A check that the request asks for cannot be made now.", "server_is_overloaded"
            ).retry(after: .seconds(5), spread: spread)
        case .booksUnavailable:
            return Self.api("Usage and quotas cannot be read now.", "usage_unavailable")
                .retry(after: .seconds(2), spread: spread)
        case .noBackend:
            return Self.service("No backend serves this model now.", "server_is_overloaded")
                .retry(after: .seconds(5), spread: spread)
        default:
            return Self.api("The request cannot be metered now.", "metering_unavailable")
                .retry(after: .seconds(2), spread: spread)
        }
    }

    private static func answer(_ kind: BackendFailure.Kind, spread: UInt64) -> ErrorAnswer {
        switch kind {
        case .unreachable, .malformed, .cancelled:
            let answer = ErrorAnswer(
                status: 502, type: "upstream_error", code: "upstream_unavailable", parameter: nil,
                message: "The model's backend failed.")
            // One that answered, if badly, has used tokens: a loop of retries would use them again.
            return kind == .malformed ? answer.with("x-should-retry", "false") : answer
        case .timedOut:
            return ErrorAnswer(
                status: 504, type: "upstream_error", code: "upstream_timeout", parameter: nil,
                message: "The model's backend did not answer in time.")
        case .notReady(let wait):
            return service("The model is loading.", "model_loading")
                .retry(after: wait, spread: spread)
        case .rateLimited(let wait):
            return service("The model's backend is overloaded.", "server_is_overloaded")
                .retry(after: wait ?? .seconds(5), spread: spread)
        case .busy(let wait):
            return service(
                "The model is busy with other requests, and this one's turn did not come in time.",
                "server_is_overloaded"
            ).retry(after: wait, spread: spread)
        case .contextExceeded(let prompt, let context):
            return .invalid(
                400, overflow(prompt, context), code: "context_length_exceeded",
                parameter: "messages")
        case .invalidRequest:
            return .invalid(400, "The model's backend does not accept this request.")
        }
    }

    private static func overflow(_ prompt: Int64?, _ context: Int64?) -> String {
        guard let prompt, let context else { return "The messages do not fit the model's context." }
        if prompt < context {
            return "The messages have \(prompt) tokens, and the completion that is asked for does "
                + "not fit beside them: the model's context is \(context) tokens."
        }
        return "The messages do not fit the model's context. They have \(prompt) tokens, and the "
            + "context \(context)."
    }

    private static func api(_ message: String, _ code: String) -> ErrorAnswer {
        ErrorAnswer(
            status: 503, type: "api_error", code: code, parameter: nil, message: message)
    }

    private static func service(_ message: String, _ code: String) -> ErrorAnswer {
        ErrorAnswer(
            status: 503, type: "service_unavailable_error", code: code, parameter: nil,
            message: message)
    }
}
