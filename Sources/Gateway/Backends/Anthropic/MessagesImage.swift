/// An image of a request, as Anthropic's API has it: its type and its base64 text apart.
struct MessagesImage: Equatable {
    /// `image/jpeg`, `image/png`, `image/gif` or `image/webp`: what the API takes.
    let mediaType: String
    /// The image in base64.
    let data: Substring

    /// Takes a data URI apart; nil where the API does not take its type.
    init?(_ image: ImagePart) {
        guard let comma = image.url.utf8.firstIndex(of: UInt8(ascii: ",")) else { return nil }
        let head = image.url[..<comma].dropFirst("data:".count)
        let type = head.prefix { $0 != ";" }.lowercased()
        mediaType = type == "image/jpg" ? "image/jpeg" : type
        guard Self.accepted.contains(mediaType) else { return nil }
        data = image.url[image.url.utf8.index(after: comma)...]
    }

    private static let accepted: Set<String> = [
        "image/jpeg", "image/png", "image/gif", "image/webp",
    ]
}
