/// One part of a message's content.
enum ContentPart: Sendable, Equatable {
    case text(String)
    case image(ImagePart)

    /// The text, if it is one.
    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }
}

/// An image that a message shows.
struct ImagePart: Sendable, Equatable {
    /// How closely the model looks.
    enum Detail: String, Sendable, CaseIterable {
        case auto, low, high
    }

    /// A data URI: the image itself.
    var url: String
    var detail: Detail?
}
