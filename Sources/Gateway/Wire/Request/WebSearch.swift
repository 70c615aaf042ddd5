/// How the upstream searches the web for an answer (`web_search_options`).
struct WebSearch: Sendable, Equatable {
    /// How much of what is found the model reads.
    enum ContextSize: String, Sendable, CaseIterable {
        case low, medium, high
    }

    /// About where the client's user is.
    struct Place: Sendable, Equatable {
        var city: String?
        /// Two letters, as ISO 3166-1 has them.
        var country: String?
        var region: String?
        var timezone: String?
    }

    var contextSize: ContextSize?
    var place: Place?
}
