import JSON

@testable import Gateway

/// The reference of a gateway with the limits it has unless told otherwise.
let testReference = APIReference(
    ReferenceLimits(
        GatewayConfiguration(
            listen: .unixSocket(path: "a"), adminListen: .unixSocket(path: "b"))))

/// Where an object of requests stands in a body, with what it needs around it.
struct ObjectContext: Sendable {
    let name: String
    /// A good one, by its members.
    let members: [String: String]
    /// Which of several forms it is.
    let choice: Int?
    /// The body around it.
    let body: @Sendable (String) -> String

    init(
        _ name: String, _ members: [String: String], choice: Int? = nil,
        _ body: @escaping @Sendable (String) -> String
    ) {
        (self.name, self.members, self.choice, self.body) = (name, members, choice, body)
    }

    /// A body around the object with some members replaced; nil leaves one out.
    func body(replacing changes: [String: String?]) -> String {
        var members: [String: String?] = members
        for (name, value) in changes { members[name] = value }
        let texts = members.compactMap { name, value in value.map { #""\#(name)":\#($0)"# } }
        return body("{\(texts.joined(separator: ","))}")
    }

    /// The body of a request with one member more.
    private static func with(_ member: String) -> String {
        #"{"model":"m","messages":"hi",\#(member)}"#
    }

    private static func message(_ message: String) -> String {
        #"{"model":"m","messages":[\#(message)]}"#
    }

    private static func part(_ part: String, of role: String) -> String {
        message(#"{"role":"\#(role)","content":[\#(part)]}"#)
    }

    private static func format(_ members: [String: String], _ choice: Int) -> ObjectContext {
        ObjectContext("ResponseFormat", members, choice: choice) {
            with(#""response_format":\#($0)"#)
        }
    }

    private static let audio = Recordings.base64(Recordings.wav())
    private static func choice(_ type: String, _ value: String, _ choice: Int) -> ObjectContext {
        ObjectContext("ToolChoice", ["type": "\"\(type)\"", type: value], choice: choice) {
            with(#""tools":[\#(tools)],"tool_choice":\#($0)"#)
        }
    }

    private static func customFormat(
        _ members: [String: String], _ choice: Int
    ) -> ObjectContext {
        ObjectContext("CustomToolFormat", members, choice: choice) {
            with(#""tools":[{"type":"custom","custom":{"name":"f","format":\#($0)}}]"#)
        }
    }

    private static let tools =
        #"{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"g"}}"#

    /// Each object that the reference names.
    static let all = [
        ObjectContext("ChatCompletionRequest", ["model": #""m""#, "messages": #""hi""#]) { $0 },
        ObjectContext("Message", ["role": #""user""#, "content": #""hi""#], message),
        ObjectContext("TextPart", ["type": #""text""#, "text": #""hi""#]) {
            part($0, of: "user")
        },
        ObjectContext("RefusalPart", ["type": #""refusal""#, "refusal": #""no""#]) {
            part($0, of: "assistant")
        },
        ObjectContext(
            "ImagePart",
            ["type": #""image_url""#, "image_url": #"{"url":"data:image/png;base64,AA=="}"#]
        ) { part($0, of: "user") },
        ObjectContext(
            "AudioPart",
            [
                "type": #""input_audio""#,
                "input_audio": #"{"data":"\#(audio)","format":"wav"}"#,
            ]
        ) { part($0, of: "user") },
        ObjectContext(
            "AudioContentPart",
            ["type": #""audio_content""#, "audio_content": #"{"content":"\#(audio)"}"#]
        ) { part($0, of: "user") },
        ObjectContext(
            "VideoPart",
            ["type": #""video_url""#, "video_url": #"{"url":"data:video/mp4;base64,AA=="}"#]
        ) { part($0, of: "user") },
        ObjectContext("FilePart", ["type": #""file""#, "file": #"{"file_data":"AA=="}"#]) {
            part($0, of: "user")
        },
        ObjectContext(
            "MessageToolCall",
            [
                "id": #""c""#, "type": #""custom""#, "custom": #"{"name":"f","input":"{}"}"#,
            ], choice: 1
        ) { message(#"{"role":"assistant","tool_calls":[\#($0)]}"#) },
        ObjectContext(
            "MessageToolCall",
            ["id": #""c""#, "function": #"{"name":"f","arguments":"{}"}"#], choice: 0
        ) { message(#"{"role":"assistant","tool_calls":[\#($0)]}"#) },
        ObjectContext("FunctionCall", ["name": #""f""#, "arguments": #""{}""#]) {
            message(#"{"role":"assistant","function_call":\#($0)}"#)
        },
        ObjectContext("Tool", ["type": #""function""#, "function": #"{"name":"f"}"#], choice: 0) {
            with(#""tools":[\#($0)]"#)
        },
        ObjectContext("Tool", ["type": #""custom""#, "custom": #"{"name":"f"}"#], choice: 1) {
            with(#""tools":[\#($0)]"#)
        },
        customFormat(["type": #""text""#], 0),
        customFormat(
            ["type": #""grammar""#, "grammar": #"{"definition":"a","syntax":"regex"}"#], 1),
        ObjectContext("CustomTool", ["name": #""f""#]) {
            with(#""tools":[{"type":"custom","custom":\#($0)}]"#)
        },
        ObjectContext("Function", ["name": #""f""#]) { with(#""functions":[\#($0)]"#) },
        ObjectContext("FunctionName", ["name": #""f""#]) {
            with(#""functions":[{"name":"f"}],"function_call":\#($0)"#)
        },
        choice("function", #"{"name":"f"}"#, 0), choice("custom", #"{"name":"g"}"#, 1),
        choice(
            "allowed_tools",
            #"{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}"#, 2),
        ObjectContext("StreamOptions", [:]) { with(#""stream":true,"stream_options":\#($0)"#) },
        format(["type": #""text""#], 0),
        format(["type": #""json_object""#], 1),
        format(
            ["type": #""json_schema""#, "json_schema": #"{"name":"a","schema":{}}"#], 2),
        ObjectContext("Prediction", ["type": #""content""#, "content": #""a""#]) {
            with(#""prediction":\#($0)"#)
        },
        ObjectContext("AudioOutput", ["voice": #""alloy""#, "format": #""wav""#]) {
            with(#""modalities":["audio"],"audio":\#($0)"#)
        },
        ObjectContext("WebSearch", [:]) { with(#""web_search_options":\#($0)"#) },
        ObjectContext("Moderation", ["model": #""m""#]) { with(#""moderation":\#($0)"#) },
        ObjectContext("SpokenAnswer", ["id": #""a""#]) {
            message(#"{"role":"assistant","audio":\#($0)}"#)
        },
        ObjectContext("InputChecks", [:]) { with(#""input":\#($0)"#) },
        ObjectContext("OutputChecks", [:]) { with(#""output":\#($0)"#) },
    ]
}

extension ReferenceSchema {
    /// Values that the schema does not allow, each beyond one bound of it; nothing where a schema
    /// of another name says what it allows.
    var badValues: [String] {
        if reference != nil { return ["7", #""x""#] }
        if !choices.isEmpty {
            let types = choices.compactMap(\.type)
            let values = choices.flatMap(\.badValues)
            // What one choice refuses another may take: only what is of none of their types.
            return types.contains("string")
                ? values.filter { $0 != #""x""# && !$0.hasPrefix("[") && $0 != "{}" } + [
                    "7", "true",
                ]
                : ["7"]
        }
        var bad: [String] = []
        switch type {
        case "string":
            bad = ["7", "{}", "[]", "true"]
            if let atMost { bad.append("\"\(String(repeating: "a", count: atMost + 1))\"") }
            if atLeast != nil { bad.append(#""""#) }
            if pattern != nil { bad.append(#""a b""#) }
        case "number", "integer":
            bad = [#""1""#, "{}", "true"]
            if type == "integer" { bad.append("1.5") }
            for (bound, step) in [(minimum, -1), (maximum, 1)] as [(ReferenceValue?, Int64)] {
                if let text = bound?.text, let beyond = Self.beyond(text, by: step) {
                    bad.append(beyond)
                }
            }
            if excludesMinimum, let minimum { bad.append(minimum.text) }
        case "boolean": bad = ["1", #""true""#, "{}"]
        case "array":
            bad = ["7", "{}"]
            let item = items.first?.goodValue ?? "1"
            if let atMost {
                bad.append("[\(Array(repeating: item, count: atMost + 1).joined(separator: ","))]")
            }
            if atLeast != nil { bad.append("[]") }
            bad += items.first?.badValues.map { "[\($0)]" } ?? []
        case "object":
            bad = ["7", #""x""#, "[]"]
            if let atMost {
                let names = (0...atMost).map { #""\#($0)":\#(others.first?.goodValue ?? "1")"# }
                bad.append("{\(names.joined(separator: ","))}")
            }
            bad += others.first?.badValues.map { #"{"1":\#($0)}"# } ?? []
        case "null": bad = ["7"]
        default: break
        }
        if !values.isEmpty {
            bad += ["true", "false", "7", #""surely none""#].filter { text in
                !values.contains { $0.text == text }
            }
        }
        return bad
    }

    /// A value that the schema allows.
    var goodValue: String {
        if let value = values.first { return value.text }
        switch type {
        case "string": return #""a""#
        case "boolean": return "true"
        case "object": return "{}"
        case "array": return "[\(items.first?.goodValue ?? "")]"
        case "null": return "null"
        default: return (maximum ?? minimum)?.text ?? "1"
        }
    }

    private static func beyond(_ bound: String, by step: Int64) -> String? {
        guard let bound = Int64(bound) else { return nil }
        let (next, overflows) = bound.addingReportingOverflow(step)
        return overflows ? nil : String(next)
    }
}
