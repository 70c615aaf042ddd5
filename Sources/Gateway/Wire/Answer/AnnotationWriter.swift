import JSON

/// Writes `annotations` in OpenAI's shape.
enum AnnotationWriter {
    /// Writes the array of `annotations`.
    static func write(_ annotations: [Annotation], _ writer: inout JSONWriter) {
        writer.beginArray()
        for annotation in annotations {
            writer.beginObject()
            writer.key("type")
            writer.string("url_citation")
            writer.key("url_citation")
            writer.beginObject()
            writer.key("start_index")
            writer.integer(annotation.start)
            writer.key("end_index")
            writer.integer(annotation.end)
            writer.key("title")
            writer.string(annotation.title)
            writer.key("url")
            writer.string(annotation.url)
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
    }
}
