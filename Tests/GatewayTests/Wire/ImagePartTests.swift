import Domain
import Foundation
import Testing

@testable import Gateway

@Suite struct ImageParts {
    private static let url = "data:image/png;base64,iVBORw0KGgo="

    private static func body(_ part: String, role: String = "user", model: String = "m") -> String {
        #"{"model":"\#(model)","max_tokens":8,"messages":[{"role":"\#(role)","content":[{"type":"text","text":"a"},\#(part)]}]}"#
    }

    @Test(
        arguments: [
            (
                #"{"type":"image_url","image_url":{"url":"\#(url)","detail":"high"}}"#,
                ImagePart.Detail.high
            ),
            (#"{"type":"image_url","image_url":{"url":"\#(url)","detail":null}}"#, nil),
            (#"{"type":"image_url","image_url":"\#(url)"}"#, nil),
        ] as [(String, ImagePart.Detail?)])
    func `an image is read in both of its forms and sent in one`(
        _ part: String, _ detail: ImagePart.Detail?
    ) throws {
        let messages = try readRequest(body: Self.body(part)).messages
        #expect(
            messages[0].content
                == .parts([.text("a"), .image(ImagePart(url: Self.url, detail: detail))]))
        for dialect in [Dialect.llamaServer, .openAI(bound: .maxTokens)] {
            let body = try forwardedBody(dialect) { $0.messages = messages }
            let sent = try #require(body["messages"] as? [[String: Any]])
            let content = try #require(sent[0]["content"] as? [[String: Any]])
            let image = try #require(content[1]["image_url"] as? [String: String])
            #expect(image["url"] == Self.url && image["detail"] == detail?.rawValue)
        }
    }

    @Test(arguments: [
        "http://169.254.169.254/latest", "https://example.com/a.png", "file:///etc/passwd",
        "/etc/passwd", "data:text/html;base64,AAAA", "data:image/png,AAAA",
        "data:image/png;base64,", "data:image/p\u{F1}g;base64,AAAA", "data:image/p g;base64,AAAA",
        "data:image/png;base64,A A", "data:image/png;base64,http://x", "",
    ])
    func `an image that is not in the request itself is never fetched`(_ url: String) throws {
        let part = #"{"type":"image_url","image_url":{"url":"\#(url)"}}"#
        let fault = try requestFault { try readRequest(body: Self.body(part)) }
        #expect(fault.parameter == "messages[0].content[1].image_url.url")
        #expect(fault.code == .invalidValue)
        #expect(!fault.message.contains("169.254") && !fault.message.contains("passwd"))
    }

    @Test(arguments: [
        (#"{"type":"image_url"}"#, "user", "image_url", RequestFault.Code.missingRequiredParameter),
        (
            #"{"type":"image_url","image_url":{}}"#, "user", "image_url.url",
            .missingRequiredParameter
        ),
        (#"{"type":"image_url","image_url":5}"#, "user", "image_url", .invalidType),
        (
            #"{"type":"image_url","image_url":{"url":"\#(url)","detail":"x"}}"#, "user",
            "image_url.detail", .invalidValue
        ),
        (#"{"type":"image_url","image_url":"\#(url)"}"#, "system", "type", .invalidValue),
        (#"{"type":"refusal","refusal":"no"}"#, "user", "type", .unsupportedParameter),
        (#"{"type":"picture"}"#, "user", "type", .invalidValue),
    ])
    func `a wrong part, or one that no model here takes, is refused with its path`(
        _ part: String, _ role: String, _ path: String, _ code: RequestFault.Code
    ) throws {
        let fault = try requestFault { try readRequest(body: Self.body(part, role: role)) }
        #expect(fault.parameter == "messages[0].content[1].\(path)")
        #expect(fault.code == code)
    }

    @Test func `an image counts at the model's most, and a model without one refuses it`()
        async throws
    {
        let part = #"{"type":"image_url","image_url":"\#(Self.url)"}"#
        try await withGateway(backend: ScriptedBackend(.text(["x"], nil))) { gateway in
            let answer = try await gateway.post(Self.body("\(part),\(part)", model: "large"))
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            let text = try await gateway.post(
                Self.body(#"{"type":"text","text":""}"#, model: "large"))
            #expect(text.hasPrefix("HTTP/1.1 200"))
            let bounds = gateway.ledger.admissions.elements.map(\.bound.prompt)
            #expect(bounds.count == 2 && bounds[0] == bounds[1] + 2 * 1016)
            let refused = try await gateway.post(Self.body(part, model: "tiny"))
            #expect(refused.hasPrefix("HTTP/1.1 400"))
            #expect(
                refused.contains(
                    #""param":"messages[0].content[1].type","code":"unsupported_parameter""#))
            #expect(gateway.ledger.admissions.elements.count == 2)
        }
    }
}
