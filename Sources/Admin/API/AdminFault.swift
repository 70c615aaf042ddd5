import Domain

/// Why a request of the admin HTTP API was not done, as its client is told.
struct AdminFault: Error, Equatable {
    /// The HTTP status.
    let status: Int
    /// A word for programs, which stays the same between versions.
    let code: String
    /// What is wrong, in one sentence.
    let message: String
    /// What to do.
    let advice: String
    /// The field that is meant, if one is.
    var parameter: String?
    /// Fields beside those of every answer.
    var headers: [Header] = []

    /// One header.
    struct Header: Equatable {
        let name: String
        let value: String
    }

    /// The answer.
    var response: AdminResponse {
        let error = AdminJSON.object([
            ("code", .text(code)), ("message", .text(message)), ("advice", .text(advice)),
            ("param", parameter.map(AdminJSON.text) ?? .null),
        ])
        return AdminResponse(
            status: status, headers: headers.map { ($0.name, $0.value) },
            body: AdminJSON.object([("error", error)]).bytes)
    }

    /// A request that does not say what it must.
    static func invalid(
        _ code: String, _ message: String, _ advice: String, parameter: String? = nil
    ) -> AdminFault {
        AdminFault(
            status: 400, code: code, message: message, advice: advice, parameter: parameter)
    }

    /// Nobody known asks.
    static func unauthorized(_ code: String, _ message: String) -> AdminFault {
        AdminFault(
            status: 401, code: code, message: message,
            advice: "Send `Authorization: Bearer KEY` with a key that `turnpike admin admin-key "
                + "create` made.",
            headers: [Header(name: "www-authenticate", value: "Bearer")])
    }

    /// The key may not.
    static func forbidden(_ code: String, _ message: String, _ advice: String) -> AdminFault {
        AdminFault(status: 403, code: code, message: message, advice: advice)
    }

    /// There is no such path.
    static let pathUnknown = AdminFault(
        status: 404, code: "path_unknown", message: "There is no such path in the admin API.",
        advice: "GET /admin/openapi.json tells every path.")

    /// The path takes other methods.
    static func methodNotAllowed(_ methods: [String]) -> AdminFault {
        let allowed = methods.joined(separator: ", ")
        return AdminFault(
            status: 405, code: "method_not_allowed",
            message: "This path does not take that method.", advice: "It takes \(allowed).",
            headers: [Header(name: "allow", value: allowed)])
    }

    /// Nothing was changed, and a little later it can be.
    static func unavailable(_ code: String, _ message: String) -> AdminFault {
        AdminFault(
            status: 503, code: code, message: message, advice: "Try again in a second.",
            headers: [Header(name: "retry-after", value: "1")])
    }

    /// Everything waits for the ledger.
    static let busy = unavailable(
        "busy", "Too many requests of administrators are under way. Nothing was changed.")
}

extension AdminFault {
    /// Translates what a command said. The client's text never holds the inside text.
    init(_ failure: AdminFailure) {
        let message = Self.restated(failure.message)
        switch (failure.status, failure.cause) {
        case (_, .uncertain):
            self = AdminFault(
                status: 503, code: "outcome_unknown", message: message,
                advice: "Repeat it with the same Idempotency-Key, or look before you repeat it.",
                headers: [Header(name: "retry-after", value: "1")])
        case (.unreachable, _):
            self = .unavailable(
                "ledger_unavailable", "The ledger cannot be reached. Nothing was changed.")
        case (_, .conflicted): self = .unavailable("conflicted", message)
        case (_, .broken):
            self = AdminFault(
                status: 500, code: "ledger_refused", message: message,
                advice: "Nothing was changed. The gateway's log says why.")
        case (_, .missing):
            self = AdminFault(
                status: 404, code: "not_found", message: message,
                advice: "List what there is with GET on the path above.")
        case (_, .taken):
            self = AdminFault(
                status: 409, code: "already_exists", message: message,
                advice: "Nothing was changed. Give another name, or use the one that is there.")
        case (_, .reused):
            self = AdminFault(
                status: 422, code: "idempotency_key_reused",
                message: "This Idempotency-Key stands for another request.",
                advice: "Nothing was changed. Give each creation an Idempotency-Key of its own.")
        case (.wrongUsage, _):
            self = .invalid("invalid_request", message, Self.advice(failure.advice))
        case (.refused, _), (.difference, _):
            self = AdminFault(
                status: 409, code: "refused", message: message,
                advice: Self.advice(failure.advice))
        }
    }

    /// Advice without command lines.
    static func advice(_ advice: String?) -> String {
        guard let advice, !advice.contains("turnpike "), !advice.contains("--") else {
            return "Nothing was changed. GET /admin/openapi.json tells what is accepted."
        }
        return advice
    }

    /// A command's sentence in the words of the API: `'--time-zone <zone>'` is `time_zone`.
    static func restated(_ text: String) -> String {
        text.replacing(#/'?--([a-z][a-z-]*)(?:[ =]<[^>]*>)?'?/#) { match in
            String(match.1).replacing("-", with: "_")
        }
    }
}
