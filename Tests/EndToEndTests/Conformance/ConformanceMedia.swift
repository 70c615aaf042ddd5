/// The smallest recordings there are, and a part of a message around one of them or another thing.
enum ConformanceMedia {
    /// Two samples of silence.
    static let wav = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQQAAAAAAAAA"
    /// One frame of MPEG-2.5 layer III.
    static let mp3 = "/+MYAAAA" + String(repeating: "A", count: 88)

    /// The members of a request whose one user message holds this part.
    static func members(_ type: String, _ value: String) -> String {
        #""messages":[{"role":"user","content":[{"type":"\#(type)","\#(type)":\#(value)}]}]"#
    }

    /// Where the part's value stands in what the backend is told.
    static func path(_ type: String) -> String { "messages[0].content[0].\(type)" }
}

extension PageParameter {
    /// A part of a message that reaches the backend, under another name where `told` says so and
    /// with another value where `becomes` does.
    static func media(
        _ type: String, _ value: String, told: String? = nil, becomes other: String? = nil
    ) -> PageParameter {
        .probed(
            "messages[] part \(type)", ConformanceMedia.members(type, value),
            told: ConformanceMedia.path(told ?? type), other ?? value)
    }
}
