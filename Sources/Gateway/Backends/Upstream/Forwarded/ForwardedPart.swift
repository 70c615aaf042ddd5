import JSON

/// Writes one part of a forwarded message.
enum ForwardedPart {
    /// Writes `part` as `dialect` knows it.
    static func write(_ part: ContentPart, in dialect: Dialect, to json: inout JSONWriter) {
        switch part {
        case .text(let text):
            json.beginObject()
            json.member("type", "text")
            json.member("text", text)
            json.endObject()
        case .image(let image):
            open("image_url", to: &json)
            json.member("url", image.url)
            json.member("detail", image.detail?.rawValue)
            close(&json)
        case .audio(let audio):
            open("input_audio", to: &json)
            json.member("data", audio.data)
            json.member("format", audio.format.rawValue)
            close(&json)
        case .video(let video) where dialect == .llamaServer:
            open("input_video", to: &json)
            json.member("data", video.data)
            close(&json)
        case .video(let video):
            open("video_url", to: &json)
            json.member("url", video.url)
            close(&json)
        case .file(let file):
            open("file", to: &json)
            json.member("filename", file.name)
            switch file.source {
            case .data(let data): json.member("file_data", data)
            case .id(let id): json.member("file_id", id)
            }
            close(&json)
        }
    }

    /// Begins a part and the object that has its type's name.
    private static func open(_ type: StaticString, to json: inout JSONWriter) {
        json.beginObject()
        json.key("type")
        json.string("\(type)")
        json.key(type)
        json.beginObject()
    }

    private static func close(_ json: inout JSONWriter) {
        json.endObject()
        json.endObject()
    }
}
