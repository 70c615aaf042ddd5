import JSON

/// Reads `annotations` of a backend's choice.
enum AnnotationReader {
    /// The most that one event is believed to hold.
    private static let most = 256

    /// The citations of a delta or a message. What has not the published shape is left out: a
    /// citation is worth nothing where it cannot be followed.
    static func annotations(in text: JSONValue?) -> [Annotation] {
        guard let list = text?["annotations"], list.kind == .array else { return [] }
        var annotations: [Annotation] = []
        for element in list.elements {
            guard annotations.count < most else { break }
            guard let citation = element["url_citation"],
                let start = citation["start_index"]?.exactInteger,
                let end = citation["end_index"]?.exactInteger, 0 <= start, start <= end,
                let title = citation["title"]?.string, let url = citation["url"]?.string
            else { continue }
            annotations.append(Annotation(start: start, end: end, title: title, url: url))
        }
        return annotations
    }
}
