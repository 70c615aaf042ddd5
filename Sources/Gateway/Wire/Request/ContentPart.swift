/// One part of a message's content.
enum ContentPart: Sendable, Equatable {
    case text(String)
    case image(ImagePart)
    case audio(AudioPart)
    case video(VideoPart)
    case file(FilePart)

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

/// A recording that a message lets the model hear.
struct AudioPart: Sendable, Equatable {
    /// What the bytes are.
    enum Format: String, Sendable, CaseIterable {
        case wav, mp3
    }

    /// The recording in base64.
    var data: String
    var format: Format
    /// The most milliseconds that any decoder can make of it, at least 1.
    var mostMilliseconds: Int64
}

/// A video that a message shows.
struct VideoPart: Sendable, Equatable {
    /// The video in base64.
    var data: String
    /// Its media type, which begins with `video/`.
    var mediaType: String

    /// A data URI: the video itself.
    var url: String { "data:\(mediaType);base64,\(data)" }
}

/// A document that a message lets the model read.
struct FilePart: Sendable, Equatable {
    /// Where the document is.
    enum Source: Sendable, Equatable {
        /// In the request: base64, or a data URI of it.
        case data(String)
        /// At the upstream, under this id.
        case id(String)
    }

    var source: Source
    /// What its sender calls it.
    var name: String?
}
