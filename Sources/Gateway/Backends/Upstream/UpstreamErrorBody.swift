import JSON

/// Reads what a backend says when it does not answer: the error bodies of OpenAI, Anthropic,
/// llama-server and those that imitate them, which may put a string where the object should be.
struct UpstreamErrorBody {
    /// `error.type`.
    var type: String?
    /// `error.code`, if it is a string.
    var code: String?
    /// `error.param`.
    private var parameter: String?
    /// `error.code`, if it is a number: llama-server repeats the status there.
    var status: Int?
    /// Where llama-server says how long the prompt was.
    var promptTokens: Int64?
    /// Where llama-server says how much fits.
    var contextTokens: Int64?
    /// Whether it tells what was found in the prompt, as routers to several providers do.
    private var hasFindings = false
    /// Whether the message names the model's context length as the reason.
    private var saysContextLength = false

    /// Reads an error out of a parsed body; nil if there is none.
    init?(_ root: JSONValue) {
        guard let error = root["error"], !error.isNull else {
            // Some put the object's members at the top: {"object":"error","message":…,"code":400}.
            guard let object = root["object"], object.isString("error") else { return nil }
            read(root)
            return
        }
        if error.kind == .object { read(error) }
    }

    private mutating func read(_ error: JSONValue) {
        type = Self.word(error["type"])
        code = Self.word(error["code"])
        parameter = Self.word(error["param"])
        status = error["code"]?.exactInteger.flatMap { Int(exactly: $0) }
        if let code, let number = Int(code) { status = number }
        promptTokens = error["n_prompt_tokens"]?.exactInteger.flatMap { $0 >= 0 ? $0 : nil }
        contextTokens = error["n_ctx"]?.exactInteger.flatMap { $0 >= 0 ? $0 : nil }
        let details = error["metadata"]
        hasFindings = [details?["reasons"], details?["flagged_input"]].contains {
            $0.map { !$0.isNull } ?? false
        }
        readContextLength(in: error["message"])
    }

    /// What of the request the upstream does not accept, where it names a parameter that clients know.
    /// Nothing else of its words is for them.
    var fault: RequestFault? {
        guard let parameter,
            RequestParameter.knows(String(parameter.prefix { $0 != "." && $0 != "[" })),
            parameter.utf8.allSatisfy({ byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || "_.[]".utf8.contains(byte)
            })
        else { return nil }
        let told: RequestFault.Code? =
            code == "unsupported_value" ? .invalidValue : code.flatMap { .init(rawValue: $0) }
        return RequestFault(
            "The model's backend does not accept '\(parameter)'.", parameter: parameter, code: told)
    }

    /// Whether it is what the prompt says that is refused, which is nobody's fault but the prompt's.
    var refusesContent: Bool {
        hasFindings
            || Self.names([type, code], anyOf: ["content", "moderation", "safety", "flagged"])
    }

    /// Whether it is the credential that is refused: because of what it may do, or what was paid.
    /// Where nothing is named there is no other reason to think of.
    var refusesCredential: Bool {
        guard !refusesContent else { return false }
        let told = [type, code].compactMap(\.self).filter { Int($0) == nil }
        return told.isEmpty || Self.names(told, anyOf: Self.credentialWords)
    }

    private static let credentialWords = [
        "permission", "auth", "key", "forbidden", "access", "denied", "billing", "balance",
        "credit", "quota", "account", "organization", "project", "country", "model",
    ]

    private static func names(_ told: [String?], anyOf words: [String]) -> Bool {
        told.compactMap { $0?.lowercased() }.contains { name in words.contains { name.contains($0) }
        }
    }

    /// Some tell a full context only in a sentence.
    private mutating func readContextLength(in message: JSONValue?) {
        guard let message, message.utf8Count <= 2000, let text = message.string,
            let told = ContextSentence(text)
        else { return }
        saysContextLength = true
        contextTokens = contextTokens ?? told.contextTokens
        promptTokens = promptTokens ?? told.promptTokens
    }

    /// Its type and code for the log, which are names. Never its message: upstreams quote the
    /// prompt there.
    func label(redacting secrets: [[UInt8]]) -> String {
        [type, code].compactMap { $0 }.map {
            " " + LogExcerpt.make(of: $0.utf8, redacting: secrets)
        }
        .joined()
    }

    /// A short name, never a sentence, so that what is compared is bounded.
    private static func word(_ value: JSONValue?) -> String? {
        guard let value, (1...64).contains(value.utf8Count) else { return nil }
        return value.string
    }

    /// What the error means, given the status it came with, or the one it names itself if it came
    /// inside of an answer that had begun with 200.
    func kind(status outer: Int, retryAfter: Duration?) -> BackendFailure.Kind {
        if isContextExceeded, outer == 200 || outer == 400 || outer == 413 || outer == 422 {
            return .contextExceeded(promptTokens: promptTokens, contextTokens: contextTokens)
        }
        if outer == 403, refusesContent { return .invalidRequest }
        // CometAPI says so of a request that is wrong, under the status of a fault of its own.
        if outer == 500, type == "comet_api_error", code == "invalid_request" {
            return .invalidRequest
        }
        if isOverload { return .rateLimited(retryAfter: retryAfter ?? Self.defaultWait) }
        if outer != 200 { return Self.kind(status: outer, retryAfter: retryAfter) }
        switch type ?? code {
        case "rate_limit_error", "rate_limit_exceeded", "insufficient_quota", "tokens", "requests":
            return .rateLimited(retryAfter: retryAfter)
        case "unavailable_error", "service_unavailable_error":
            return .notReady(retryAfter: retryAfter ?? Self.defaultWait)
        case "timeout_error": return .timedOut
        default: break
        }
        if let status, (400...599).contains(status) {
            return Self.kind(status: status, retryAfter: retryAfter)
        }
        return type == "invalid_request_error" ? .invalidRequest : .unreachable
    }

    /// Whether it has too much to do, for whomever: Anthropic's word and OpenAI's.
    var isOverload: Bool {
        type == "overloaded_error" || type == "server_is_overloaded"
            || code == "server_is_overloaded"
    }

    private var isContextExceeded: Bool {
        saysContextLength || code == "context_length_exceeded"
            || type == "exceed_context_size_error"
            || type == "context_length_exceeded"
    }

    /// What a status alone means. What only the operator can mend (a bad credential, a wrong
    /// address, an unpaid bill) is the backend's unreachability to the client.
    static func kind(status: Int, retryAfter: Duration?) -> BackendFailure.Kind {
        switch status {
        case 400, 413, 422: .invalidRequest
        case 408, 504, 524: .timedOut
        case 429: .rateLimited(retryAfter: retryAfter)
        case 503: .notReady(retryAfter: retryAfter ?? defaultWait)
        case 529: .rateLimited(retryAfter: retryAfter ?? defaultWait)
        case 400..<600: .unreachable
        default: .malformed
        }
    }

    /// What a client is told to wait when a backend is busy and does not say for how long.
    private static let defaultWait = Duration.seconds(1)
}

extension UpstreamErrorBody {
    /// How long a `Retry-After` header says to wait: whole seconds, at most a day. Dates are not
    /// read, since the clocks of two hosts may differ; `retry-after-ms` is more exact where it is
    /// sent.
    static func retryAfter(seconds: String?, milliseconds: String?) -> Duration? {
        let most = Duration.seconds(86_400)
        if let milliseconds, let count = Int64(milliseconds), count >= 0 {
            return min(.milliseconds(count), most)
        }
        if let seconds, let count = Int64(seconds), count >= 0 { return min(.seconds(count), most) }
        return nil
    }
}
