import Domain

/// Everything that is served on the main listener: by which method, at which paths.
enum Route: CaseIterable, Sendable {
    case chatCompletions, models, model, usage, quota, reference, referencePage

    /// The one method it takes.
    var method: String { self == .chatCompletions ? "POST" : "GET" }

    /// Where it is, the preferred path first. One that ends in a slash is followed by a name.
    var paths: [String] {
        switch self {
        case .chatCompletions: Self.chatCompletionPaths
        case .models: Self.modelsPaths
        case .model: Self.modelPaths
        case .usage: Self.usagePaths
        case .quota: Self.quotaPaths
        case .reference: Self.referencePaths
        case .referencePage: Self.referencePagePaths
        }
    }

    /// Whether it takes a key: what is true of every gateway of this version is told to anybody.
    var needsKey: Bool { scope != nil }

    /// What a key must be allowed to call; nil where none is needed.
    var scope: KeyScope? {
        switch self {
        case .chatCompletions: .chat
        case .models, .model: .models
        case .usage, .quota: .usage
        case .reference, .referencePage: nil
        }
    }

    /// Made once: a request looks through all of them.
    private static let chatCompletionPaths = [
        "/v1/chat/completions", "/chat/completions", "/openai/v1/chat/completions",
    ]
    private static let modelsPaths = ["/v1/models", "/models", "/openai/v1/models"]
    private static let modelPaths = ["/v1/models/", "/models/", "/openai/v1/models/"]
    private static let usagePaths = ["/v1/usage"]
    private static let quotaPaths = ["/v1/quota"]
    private static let referencePaths = ["/openapi.json"]
    private static let referencePagePaths = ["/docs"]
}
