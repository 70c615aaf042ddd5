import Domain

/// Why a request has no good answer: every reason there is. `HTTP/ErrorAnswer.swift` says what each
/// is in HTTP.
enum GatewayFailure: Error, Sendable, Equatable {
    /// The body asks for something wrong, or not in a way we understand.
    case invalidRequest(RequestFault)
    /// The bytes are no HTTP request, or one that two servers might read differently. The
    /// connection closes.
    case malformedHTTP
    /// The head of the request is beyond the limits. The connection closes.
    case headersTooLarge
    /// The body is beyond the limit, in bytes. The connection closes, since the rest is not read.
    case bodyTooLarge(limit: Int)
    /// The body is not said to be JSON.
    case unsupportedMediaType
    /// The body is compressed.
    case unsupportedContentEncoding
    /// The request did not arrive in time. The connection closes.
    case requestTimeout
    /// Nothing is at this path.
    case pathUnknown
    /// The path takes other methods: those in `allowed`.
    case methodNotAllowed(allowed: String)
    /// There is no credential.
    case keyMissing
    /// The credential is not a key, not one of ours, or no longer valid: one answer for all.
    case keyRefused
    /// The key is the right one, and it, its team or its organization is suspended.
    case keySuspended(Subject.Kind)
    /// Too many unknown keys were tried.
    case keyThrottled(retryAfter: Duration)
    /// Keys cannot be checked now.
    case directoryUnavailable
    /// The key may not call what is at this path.
    case endpointForbidden(KeyScope)
    /// The key may not use the model.
    case modelForbidden(String)
    /// There is no such model.
    case modelUnknown(String)
    /// The model asked for is no longer served.
    case modelRetired(String)
    /// The model has no price, and a quota of cost applies.
    case modelUnpriced(String)
    /// A quota or rate limit is in the way.
    ///
    /// - largestCompletion: the largest `max_tokens` that could ever pass, where the request
    ///   alone is too large.
    case denied(Denial, largestCompletion: Int64?)
    /// The ledger cannot accept or confirm now.
    case meteringUnavailable(LedgerFault)
    /// The key's own usage and quotas cannot be read now.
    case booksUnavailable
    /// The key reads its usage and quotas too often.
    case booksThrottled(retryAfter: Duration)
    /// A request with the same `Idempotency-Key` is still being answered.
    case idempotencyInProgress(first: RequestID)
    /// A request with the same `Idempotency-Key` is over and was charged, and its answer is not kept.
    case idempotencyEnded(IdempotentEnd)
    /// The `Idempotency-Key` stands for another request.
    case idempotencyKeyReused
    /// The gateway is stopping.
    case draining
    /// A check that the request asks for could not be made.
    case safeguardUnavailable
    /// No backend of the model is configured or takes requests.
    case noBackend
    /// The backend failed.
    case backend(BackendFailure.Kind)
    /// The client left: nobody reads an answer.
    case clientGone
}
