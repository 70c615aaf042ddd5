import Foundation
import OpenSSL

/// A document that is made once and then handed out as it is.
struct PublishedDocument: Sendable {
    let bytes: [UInt8]
    /// Its media type.
    let type: String
    /// A strong validator: another document has another.
    let etag: String
    /// What its answers carry beside the usual headers.
    let headers: [ErrorAnswer.Header]

    /// The two documents of a reference.
    static func publish(_ reference: APIReference) -> (reference: Self, page: Self) {
        (
            PublishedDocument(OpenAPIDocument.write(reference), type: "application/json", []),
            PublishedDocument(
                ReferencePage.write(reference), type: "text/html; charset=utf-8", pageHeaders)
        )
    }

    private init(_ bytes: [UInt8], type: String, _ more: [ErrorAnswer.Header]) {
        self.bytes = bytes
        self.type = type
        let digest = SHA256.hash(bytes).prefix(16)
        etag = "\"" + Data(digest).base64EncodedString() + "\""
        headers =
            [
                ErrorAnswer.Header(name: "etag", value: etag),
                // After an upgrade nobody reads the old one for longer than this.
                ErrorAnswer.Header(name: "cache-control", value: "public, max-age=300"),
                ErrorAnswer.Header(name: "x-content-type-options", value: "nosniff"),
            ] + more
    }

    /// Whether a client that names `fields` of `if-none-match` has the document (RFC 9110 §13.1.2).
    func isKnown(by fields: [String]) -> Bool {
        fields.joined(separator: ",").split(separator: ",").contains { tag in
            let tag = tag.drop { $0 == " " }.prefix { $0 != " " }
            return tag == "*" || tag == etag || tag == "W/" + etag
        }
    }

    /// The page may show its own style and nothing else: no script, no outside asset, no frame.
    private static let pageHeaders = [
        ErrorAnswer.Header(
            name: "content-security-policy",
            value: "default-src 'none'; style-src 'sha256-\(styleHash)'; base-uri 'none'; "
                + "form-action 'none'; frame-ancestors 'none'"),
        ErrorAnswer.Header(name: "referrer-policy", value: "no-referrer"),
    ]

    private static var styleHash: String {
        Data(SHA256.hash(Array(ReferencePageStyle.css.utf8))).base64EncodedString()
    }
}
