import Domain
import Foundation
import Testing

@testable import Gateway

@Suite struct MediaParts {
    private static let wav = Recordings.base64(Recordings.wav())
    private static let mp3 = Recordings.base64(Recordings.mp3(frames: 2))
    private static let video = "data:video/mp4;base64,AAAA"

    private static func body(_ part: String, role: String = "user", more: String = "") -> String {
        #"{"model":"tiny","max_tokens":8,"messages":[{"role":"\#(role)","content":[{"type":"text","text":"a"},\#(part)]}]\#(more)}"#
    }

    private static func audio(_ data: String, _ format: String) -> String {
        #"{"type":"input_audio","input_audio":{"data":"\#(data)","format":"\#(format)"}}"#
    }

    private static func content(_ content: String) -> String {
        #"{"type":"audio_content","audio_content":{"content":"\#(content)"}}"#
    }

    private static func file(_ members: String) -> String {
        #"{"type":"file","file":{\#(members)}}"#
    }

    private func part(_ part: String) throws -> ContentPart {
        try #require(try readRequest(body: Self.body(part)).messages[0].content.parts.last)
    }

    private func sent(_ part: ContentPart, to dialect: Dialect) throws -> NSDictionary {
        let body = try forwardedBody(dialect) {
            $0.messages = [ChatMessage(role: .user, content: .parts([part]))]
        }
        let messages = try #require(body["messages"] as? [[String: Any]])
        return try #require((messages[0]["content"] as? [NSDictionary])?.first)
    }

    private let openAI = Dialect.openAI(bound: .maxTokens)

    @Test(
        arguments: [
            (audio(wav, "wav"), AudioPart.Format.wav, wav),
            (audio(mp3, "mp3"), .mp3, mp3), (content(wav), .wav, wav), (content(mp3), .mp3, mp3),
            (content("data:audio/mpeg;base64,\(mp3)"), .mp3, mp3),
            (content("data:audio/wav;base64,\(wav)"), .wav, wav),
        ])
    func `audio is read under both of its names and sent under one`(
        _ text: String, _ format: AudioPart.Format, _ data: String
    ) throws {
        let part = try part(text)
        guard case .audio(let audio) = part else { Issue.record("\(part)"); return }
        #expect(audio.format == format && audio.data == data)
        #expect(audio.mostMilliseconds == (format == .wav ? 1003 : 53))
        for dialect in [openAI, .llamaServer] {
            #expect(
                try sent(part, to: dialect) == [
                    "type": "input_audio",
                    "input_audio": ["data": data, "format": format.rawValue],
                ])
        }
    }

    @Test func `a video is sent under the name that the backend has for it`() throws {
        for form in [#""\#(Self.video)""#, #"{"url":"\#(Self.video)"}"#] {
            let part = try part(#"{"type":"video_url","video_url":\#(form)}"#)
            #expect(
                try sent(part, to: openAI)
                    == ["type": "video_url", "video_url": ["url": Self.video]])
            #expect(
                try sent(part, to: .llamaServer)
                    == ["type": "input_video", "input_video": ["data": "AAAA"]])
        }
    }

    @Test(arguments: [
        (
            #""filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA""#,
            ["filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"]
        ),
        (#""file_data":"AAAA""#, ["file_data": "AAAA"]),
        (#""file_id":"file-1","filename":null"#, ["file_id": "file-1"]),
    ])
    func `a file is sent as it came, and never to the engine`(
        _ members: String, _ told: [String: String]
    ) throws {
        let part = try part(Self.file(members))
        #expect(try sent(part, to: openAI) == ["type": "file", "file": told as NSDictionary])
        let request = try readRequest(body: Self.body(Self.file(members)))
        #expect(
            Dialect.llamaServer.unsupportedParameter(in: request)
                == "messages[0].content[1].type")
        #expect(openAI.unsupportedParameter(in: request) == nil)
    }

    @Test(arguments: [
        (#"{"type":"input_audio"}"#, "input_audio", RequestFault.Code.missingRequiredParameter),
        (
            #"{"type":"input_audio","input_audio":{}}"#, "input_audio.data",
            .missingRequiredParameter
        ),
        (
            #"{"type":"input_audio","input_audio":{"data":"\#(wav)"}}"#, "input_audio.format",
            .missingRequiredParameter
        ),
        (audio(wav, "flac"), "input_audio.format", .invalidValue),
        (audio(wav, "mp3"), "input_audio.data", .invalidValue),
        (audio(mp3, "wav"), "input_audio.data", .invalidValue),
        (audio("https://example.com/a.wav", "wav"), "input_audio.data", .invalidValue),
        (audio("", "wav"), "input_audio.data", .invalidValue),
        (content("http://169.254.169.254/a"), "audio_content.content", .invalidValue),
        (content("data:audio/mpeg;base64,AAAA"), "audio_content.content", .invalidValue),
        (#"{"type":"audio_content"}"#, "audio_content", .missingRequiredParameter),
        (#"{"type":"video_url","video_url":"https://example.com/a"}"#, "video_url", .invalidValue),
        (
            #"{"type":"video_url","video_url":{"url":"file:///etc/passwd"}}"#, "video_url.url",
            .invalidValue
        ),
        (
            #"{"type":"video_url","video_url":{"url":"data:image/png;base64,AAAA"}}"#,
            "video_url.url", .invalidValue
        ),
        (#"{"type":"video_url","video_url":7}"#, "video_url", .invalidType),
        (#"{"type":"file"}"#, "file", .missingRequiredParameter),
        (file(""), "file.file_data", .missingRequiredParameter),
        (file(#""file_data":"https://example.com/a.pdf""#), "file.file_data", .invalidValue),
        (file(#""file_data":"AAAA","file_id":"f""#), "file.file_id", .invalidValue),
        (file(#""file_id":"""#), "file.file_id", .invalidValue),
        (
            file(#""file_id":"\#(String(repeating: "a", count: 257))""#), "file.file_id",
            .stringAboveMaxLength
        ),
        (#"{"type":"input_video"}"#, "type", .invalidValue),
    ])
    func `a wrong part is refused with its path, and nothing is ever fetched`(
        _ part: String, _ path: String, _ code: RequestFault.Code
    ) throws {
        let fault = try requestFault { try readRequest(body: Self.body(part)) }
        #expect(fault.parameter == "messages[0].content[1].\(path)")
        #expect(fault.code == code)
        #expect(!fault.message.contains("169.254") && !fault.message.contains("passwd"))
    }

    @Test(arguments: ["system", "assistant"])
    func `only users let a model hear and see`(_ role: String) throws {
        for part in [Self.audio(Self.wav, "wav"), Self.file(#""file_id":"a""#)] {
            let fault = try requestFault { try readRequest(body: Self.body(part, role: role)) }
            #expect(fault.parameter == "messages[0].content[1].type" && fault.code == .invalidValue)
        }
    }

    // MARK: What it costs

    private static let rich = {
        var route = ModelRoute(
            alias: "tiny", backends: ["local"], upstreamModel: "t", contextTokens: 1 << 20,
            maximumCompletionTokens: 512, imageTokens: nil, price: nil)
        route.media.audioPerSecond = 10
        route.media.video = 5000
        route.media.file = 7000
        return route
    }()

    @Test func `a part counts at the most that it can be to the model`() throws {
        func tokens(_ part: String) throws -> Int64 {
            PromptBound.tokens(try readRequest(body: Self.body(part)), at: Self.rich)
        }
        let bare = try tokens(#"{"type":"text","text":""}"#)
        // A second fills up a piece of thirty.
        #expect(try tokens(Self.audio(Self.wav, "wav")) == bare + 300 + 16)
        let long = Recordings.base64(Recordings.wav(seconds: 31))
        #expect(try tokens(Self.audio(long, "wav")) == bare + 600 + 16)
        #expect(
            try tokens(#"{"type":"video_url","video_url":"\#(Self.video)"}"#) == bare + 5000 + 16)
        #expect(try tokens(Self.file(#""file_data":"AAAA""#)) == bare + 7000 + 16)
    }

    @Test func `a model takes the parts that are configured for it, and refuses all others`()
        async throws
    {
        let parts = [
            Self.audio(Self.wav, "wav"), #"{"type":"video_url","video_url":"\#(Self.video)"}"#,
            Self.file(#""file_data":"AAAA""#), Self.file(#""file_id":"f""#),
        ]
        var withIDs = Self.rich
        withIDs.media.takesFileIDs = true
        var bare = Self.rich
        bare.media = MediaTokens()
        for (route, taken) in [(bare, 0), (Self.rich, 3), (withIDs, 4)] {
            try await withGateway(
                backend: ScriptedBackend(.text(["x"], nil)), routes: [route]
            ) { gateway in
                for (position, part) in parts.enumerated() {
                    let answer = try await gateway.post(Self.body(part))
                    guard position >= taken else {
                        #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
                        continue
                    }
                    #expect(
                        answer.contains(
                            #""param":"messages[0].content[1].type","code":"unsupported_parameter""#
                        ), "\(part.prefix(40)): \(answer)")
                }
                #expect(gateway.ledger.admissions.elements.count == taken)
            }
        }
    }

    @Test func `a check that reads text refuses what it cannot read`() async throws {
        let part = Self.file(#""file_data":"AAAA""#)
        try await withGateway(
            backend: ScriptedBackend(.text(["x"], nil)), routes: [Self.rich]
        ) { gateway in
            let answer = try await gateway.post(
                Self.body(part, more: #","input":{"pii":"block"}"#))
            #expect(answer.hasPrefix("HTTP/1.1 400") && answer.contains("input.pii"))
            #expect(answer.contains("unsupported_parameter"))
            #expect(gateway.ledger.admissions.elements.isEmpty)
        }
    }
}
