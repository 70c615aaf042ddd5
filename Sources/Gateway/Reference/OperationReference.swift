/// One thing that can be asked for.
struct OperationReference: Sendable {
    /// A good answer.
    struct Answer: Sendable {
        let status: Int
        let type: String
        /// The name of its schema; nil for text.
        let schema: String?
        let description: String
    }

    let route: Route
    /// The name that generated clients give it.
    let id: String
    let title: String
    let description: String
    let answers: [Answer]
    /// Which errors it may answer.
    let scopes: [ErrorReference.Scope]

    /// What stands at a route: in a switch without `default`, so that no route is forgotten.
    init(_ route: Route) {
        self.route = route
        switch route {
        case .chatCompletions:
            id = "createChatCompletion"
            title = "Complete a chat"
            description =
                "Answers a conversation. Names that are not described here are ignored; null is the "
                + "same as absent. The request is admitted against every quota of the key before a "
                + "backend hears of it. Of all requests with one `Idempotency-Key`, within 24 hours "
                + "one is charged."
            answers = Self.completions
            scopes = [.any, .key, .completion]
        case .models:
            id = "listModels"
            title = "List models"
            description = "What the key may use."
            answers = Self.json("ModelList", "The list.")
            scopes = [.any, .key]
        case .model:
            id = "getModel"
            title = "Look at one model"
            description = "A name with a slash may be written as it is or percent-encoded."
            answers = Self.json("Model", "The model.")
            scopes = [.any, .key, .model]
        case .usage:
            id = "getUsage"
            title = "Look at what the key used"
            description = BooksReference.usageDescription
            answers = Self.json("KeyUsage", "The report.")
            scopes = [.any, .key, .books, .usage]
        case .quota:
            id = "getQuota"
            title = "Look at what the key has left"
            description = BooksReference.quotaDescription
            answers = Self.json("KeyQuota", "What applies.")
            scopes = [.any, .key, .books]
        case .reference:
            id = "getReference"
            title = "This reference, for machines"
            description = "OpenAPI 3.1. Needs no key."
            answers = Self.document("application/json")
            scopes = [.any]
        case .referencePage:
            id = "getReferencePage"
            title = "This reference, for people"
            description = "One page without scripts or outside assets. Needs no key."
            answers = Self.document("text/html")
            scopes = [.any]
        }
    }

    /// Where it is, as OpenAPI writes paths; the preferred one first.
    var paths: [String] {
        route.paths.map { $0.hasSuffix("/") ? $0 + "{model}" : $0 }
    }

    /// The headers of its good answers.
    var headers: [HeaderReference] {
        HeaderReference.common
            + (route.needsKey ? HeaderReference.limits : HeaderReference.documents)
            + (route == .chatCompletions ? HeaderReference.replays : [])
    }

    /// Its errors by status.
    func errors(among all: [ErrorReference]) -> [(status: Int, lines: [ErrorReference])] {
        let own = all.filter { scopes.contains($0.scope) }
        return Set(own.map(\.answer.status)).sorted().map { status in
            (status, own.filter { $0.answer.status == status })
        }
    }

    private static let completions = [
        Answer(
            status: 200, type: "application/json", schema: "ChatCompletion",
            description: "The answer; with `stream` as events."),
        Answer(
            status: 200, type: "text/event-stream", schema: nil,
            description: "Events of the schema `ChatCompletionChunk`, and `[DONE]`."),
    ]

    private static func json(_ schema: String, _ description: String) -> [Answer] {
        [Answer(status: 200, type: "application/json", schema: schema, description: description)]
    }

    private static func document(_ type: String) -> [Answer] {
        [
            Answer(status: 200, type: type, schema: nil, description: "The reference."),
            Answer(
                status: 304, type: "", schema: nil,
                description: "The client has it already, by the etag of `if-none-match`."),
        ]
    }
}
