/// A header of answers.
struct HeaderReference: Sendable {
    let name: String
    let schema: ReferenceSchema

    /// Those of every answer from a path that takes a key.
    static let common = [
        HeaderReference(
            "x-request-id",
            text(
                "^req_",
                "Names the request: in the gateway's log, and in questions to whoever runs it.")),
        HeaderReference("openai-processing-ms", .count.saying("Milliseconds of work.")),
    ]

    /// Those of every answer to a known key. 2,147,483,647 where nothing limits.
    static let limits = [
        HeaderReference(
            "x-ratelimit-limit-requests", .count.saying("The tightest limit of requests.")),
        HeaderReference(
            "x-ratelimit-limit-tokens", .count.saying("The tightest limit of tokens.")),
        HeaderReference("x-ratelimit-remaining-requests", .count.saying("What is left of it.")),
        HeaderReference("x-ratelimit-remaining-tokens", .count.saying("What is left of it.")),
        HeaderReference("x-ratelimit-reset-requests", duration),
        HeaderReference("x-ratelimit-reset-tokens", duration),
        HeaderReference(
            "ratelimit-policy",
            text(
                "^\"(requests|tokens)\";q=",
                "The same limits as the IETF writes them; absent where nothing limits.")),
        HeaderReference(
            "ratelimit",
            text(
                "^\"(requests|tokens)\";r=",
                "What is left of them, and in how many seconds they are whole again.")),
        HeaderReference(
            "x-turnpike-quota-warning",
            text(
                "^(key|team|organization);(model=|resource=)",
                "The quotas that are nearly or wholly used, 80 per cent or more unless the operator"
                    + " has said otherwise, as a list of structured fields: `used` in per cent,"
                    + " `limit` in tokens, requests or nano-dollars, `soft` where it only warns and"
                    + " refuses nothing. Absent while there is none.")),
    ]

    /// Those that come with errors, by the errors' own word.
    static let errors = [
        HeaderReference("retry-after", .count.saying("Seconds to wait before another try.")),
        HeaderReference("retry-after-ms", .count.saying("The same in milliseconds.")),
        HeaderReference(
            "x-should-retry",
            .words(["true", "false"]).saying("Whether another try can succeed soon.")),
        HeaderReference("www-authenticate", .words(["Bearer"])),
        HeaderReference("allow", text("^(GET|POST)$", "The method that the path takes.")),
    ]

    /// Those that only some answers of completions have.
    static let replays = [
        HeaderReference(
            "idempotent-replayed",
            .words(["true"]).saying("The answer is the first request's, byte for byte.")),
        HeaderReference(
            "x-turnpike-max-completion-tokens",
            .count.saying(
                "What `max_completion_tokens` was lowered to, so that the request fits what is left:"
                    + " only for keys that want this rather than a refusal.")),
    ]

    /// Those of the reference itself.
    static let documents = [
        HeaderReference("etag", text("^\"", "Changes when the reference does.")),
        HeaderReference("cache-control", .string),
    ]

    /// All of them.
    static let all = common + limits + replays + errors + documents

    private init(_ name: String, _ schema: ReferenceSchema) {
        self.name = name
        self.schema = schema
    }

    private static let duration = text(
        "^([0-9]+h)?([0-9]+m)?([0-9.]+s|[0-9]+ms)$",
        "Until the limit is whole again, as in `120ms`, `1.5s` or `6m0s`.")

    private static func text(_ pattern: String, _ description: String) -> ReferenceSchema {
        var schema = ReferenceSchema.string.saying(description)
        schema.pattern = pattern
        return schema
    }
}
