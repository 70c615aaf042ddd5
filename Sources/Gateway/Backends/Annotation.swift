/// A page that an answer cites (`annotations` of the type `url_citation`).
struct Annotation: Sendable, Equatable {
    /// Where the citation begins in the text and where it ends, in characters.
    var start: Int64
    var end: Int64
    var title: String
    var url: String
}
