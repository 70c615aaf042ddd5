import JSON

/// Writes `moderation` of an answer in OpenAI's shape.
enum ModerationWriter {
    /// Writes the object.
    static func write(_ report: ModerationReport, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("input")
        write(report.input, &writer)
        writer.key("output")
        write(report.output, &writer)
        writer.endObject()
    }

    private static func write(_ side: ModerationReport.Side, _ writer: inout JSONWriter) {
        writer.beginObject()
        switch side {
        case .failed:
            writer.member("type", "error")
            writer.member("code", "moderation_failed")
            writer.member("message", "The upstream could not moderate this text.")
        case .results(let model, let findings):
            writer.member("type", "moderation_results")
            writer.member("model", model)
            writer.key("results")
            writer.beginArray()
            for finding in findings { write(finding, &writer) }
            writer.endArray()
        }
        writer.endObject()
    }

    private static func write(
        _ finding: ModerationReport.Finding, _ writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.member("type", "moderation_result")
        writer.member("model", finding.model)
        writer.member("flagged", finding.isFlagged)
        members("categories", of: finding, &writer) { $1.bool($0.isFlagged) }
        members("category_scores", of: finding, &writer) { $1.double($0.score) }
        members("category_applied_input_types", of: finding, &writer) { category, writer in
            writer.beginArray()
            for type in category.inputTypes { writer.string(type) }
            writer.endArray()
        }
        writer.endObject()
    }

    /// An object with a member for each category.
    private static func members(
        _ name: String, of finding: ModerationReport.Finding, _ writer: inout JSONWriter,
        write: (ModerationReport.Finding.Category, inout JSONWriter) -> Void
    ) {
        writer.key(name)
        writer.beginObject()
        for category in finding.categories {
            writer.key(category.name)
            write(category, &writer)
        }
        writer.endObject()
    }
}
