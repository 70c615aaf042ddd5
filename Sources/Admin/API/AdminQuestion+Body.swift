import Domain
import JSON

extension AdminQuestion {
    /// The file that is a request's body, of whatever kind the command finds it to be.
    static func file(of request: AdminRequest) throws(AdminFault) -> [UInt8] {
        guard request.body.count <= mostFile else {
            throw AdminFault(
                status: 413, code: "body_too_large",
                message: "A file has at most \(mostFile) bytes.",
                advice: "Send a shorter time at once, or give the file to the command.")
        }
        let coding = request.values(of: "content-encoding").first?.lowercased() ?? "identity"
        guard coding == "identity", !mediaType(of: request).hasPrefix("multipart/") else {
            throw AdminFault(
                status: 415, code: "unsupported_media_type",
                message: "The file is the body itself, neither compressed nor a form's part.",
                advice: "With curl: --data-binary @FILE.")
        }
        guard !request.body.isEmpty else {
            throw .invalid(
                "missing_body", "The file is missing: the body is empty.",
                "Send the file as the body. With curl: --data-binary @FILE.")
        }
        return request.body
    }

    private static func mediaType(of request: AdminRequest) -> String {
        let type = request.values(of: "content-type").first ?? ""
        return type.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
    }

    /// The object that is a request's body; nil without one.
    static func document(_ request: AdminRequest) throws(AdminFault) -> JSONDocument? {
        guard !request.body.isEmpty else { return nil }
        guard request.body.count <= mostBody else {
            throw AdminFault(
                status: 413, code: "body_too_large",
                message: "A body has at most \(mostBody) bytes.", advice: "Send less at once.")
        }
        guard mediaType(of: request) == "application/json" else {
            throw AdminFault(
                status: 415, code: "unsupported_media_type", message: "A body is JSON.",
                advice: "Send `Content-Type: application/json`.")
        }
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONParser(
                maximumBytes: mostBody, maximumDepth: 4, maximumNodes: 4096
            ).parse(request.body)
        } catch {
            throw .invalid(
                "invalid_json", "The body cannot be read: \(error).",
                "Send one JSON object, UTF-8.")
        }
        guard document.root.kind == .object else {
            throw .invalid("invalid_json", "The body is no JSON object.", "Send one object.")
        }
        return document
    }
}
