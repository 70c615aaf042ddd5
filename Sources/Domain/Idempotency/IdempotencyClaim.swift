/// One request's claim on the `Idempotency-Key` that its client gave it.
///
/// A reference, so that a request without the header carries a null pointer and nothing else.
public final class IdempotencyClaim: Sendable {
    /// The shard of the key's rows.
    public let shard: Shard
    /// The API key within which the client's name is unique.
    public let key: KeyID
    /// SHA-256 of the header's value.
    public let nameDigest: [UInt8]
    /// SHA-256 of what was asked: the path and the body.
    public let fingerprint: [UInt8]
    /// The request that claims.
    public let requestID: RequestID

    /// Makes a claim; both digests have 32 bytes.
    public init(
        shard: Shard, key: KeyID, nameDigest: [UInt8], fingerprint: [UInt8], requestID: RequestID
    ) {
        precondition(nameDigest.count == 32 && fingerprint.count == 32, "SHA-256 has 32 bytes")
        self.shard = shard
        self.key = key
        self.nameDigest = nameDigest
        self.fingerprint = fingerprint
        self.requestID = requestID
    }
}

/// What the ledger says to a claim.
public enum IdempotencyVerdict: Sendable, Equatable {
    /// Nobody else has it: the request may go on.
    case claimed
    /// Another request has it and is not over.
    case inProgress(first: RequestID)
    /// Another request had it and is over.
    case ended(IdempotentEnd)
    /// Another request has it that asked for something else.
    case otherRequest
}

/// What became of the first request of an `Idempotency-Key`. It was charged.
public struct IdempotentEnd: Sendable, Equatable {
    /// The first request.
    public let requestID: RequestID
    /// What its usage record says.
    public let usage: TokenUsage
    /// How it ended.
    public let endState: EndState
    /// What its client was sent, where that was kept.
    public let answer: StoredAnswer?

    /// Makes an end.
    public init(
        requestID: RequestID, usage: TokenUsage, endState: EndState, answer: StoredAnswer?
    ) {
        self.requestID = requestID
        self.usage = usage
        self.endState = endState
        self.answer = answer
    }
}

/// A finished answer with status 200, as it went out.
public struct StoredAnswer: Sendable, Equatable {
    /// The largest body that is kept, in bytes.
    public static let mostBytes = 1 << 20

    /// Its `Content-Type`.
    public let contentType: String
    /// Its body: one JSON object, or all events of a stream.
    public let body: [UInt8]

    /// Makes an answer.
    public init(contentType: String, body: [UInt8]) {
        self.contentType = contentType
        self.body = body
    }
}
