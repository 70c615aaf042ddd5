import Domain

/// One thing that the admin HTTP API does: the request, who may ask, and the command that answers.
/// The router, the checks and the description for machines are all made of this.
struct AdminRoute: Sendable {
    /// Whose affairs it is about.
    enum Reach: Sendable {
        /// Of the organization in its path.
        case organization
        /// Of every organization that the key may see.
        case organizations
        /// Of the keys of this API.
        case adminKeys
        /// Of what all organizations may know.
        case common
        /// Of the whole installation: keys that are bound to one organization may not ask.
        case installation
    }

    /// What the answer looks like.
    enum Answer: Sendable {
        /// One object, with these fields.
        case one([String])
        /// Objects of these fields, page by page, in the order of some of them.
        case page([String], by: [String])
        /// Objects of these fields, all at once.
        case rows([String])
        /// The same, and whether all is well.
        case verdict([String])
        /// Objects of these fields, one on each line and as many as there are, or lines of a CSV file.
        case stream([String])
    }

    /// What a request makes, which is made once however often it is repeated.
    enum Creation: Sendable { case organization, team, key, adminKey }

    let method: String
    /// Below ``AdminPath/root``, with names in braces.
    let path: String
    /// What it does, in a few words.
    let summary: String
    /// The least role that may ask.
    let role: AdminRole
    let reach: Reach
    let command: any AdminSubcommand.Type
    let answer: Answer
    /// What stands in its path, in that order.
    var names: [AdminField] = []
    /// What may stand in its query.
    var query: [AdminField] = []
    /// What may stand in its body; nil where it takes none.
    var body: [AdminField]?
    /// Whether its body is a file, as it is.
    var takesFile = false
    /// Options that it always has.
    var always: [String] = []
    var creation: Creation?

    /// What the path is cut into.
    var segments: [Substring] { path.split(separator: "/") }

    /// Its name in the description: `GET organizations/{organization}` is `get_organizations_one`.
    var operation: String {
        let words = segments.dropFirst().map { segment in
            segment.hasPrefix("{") ? "one" : String(segment).replacing("-", with: "_")
        }
        return ([method.lowercased()] + words).joined(separator: "_")
    }
}

/// Where a request leads.
enum AdminRouter {
    /// What was found.
    enum Found: Sendable {
        /// A route, and what stands in its path, decoded, in the order of its names.
        case route(AdminRoute, values: [String])
        /// The path is known, but not with this method; those it takes.
        case otherMethods([String])
        /// No such path.
        case nothing
    }

    /// Finds the route of a path, which begins with ``AdminPath/root`` and is percent-encoded.
    static func find(_ method: String, _ path: String, in routes: [AdminRoute]) -> Found {
        let parts = path.dropFirst(AdminPath.root.count).split(
            separator: "/", omittingEmptySubsequences: false)
        var methods: [String] = []
        for route in routes {
            guard let values = values(of: parts, in: route.segments) else { continue }
            if route.method == method { return .route(route, values: values) }
            methods.append(route.method)
        }
        return methods.isEmpty ? .nothing : .otherMethods(methods)
    }

    private static func values(of parts: [Substring], in segments: [Substring]) -> [String]? {
        guard parts.count == segments.count else { return nil }
        var values: [String] = []
        for (part, segment) in zip(parts, segments) {
            if segment.hasPrefix("{") {
                guard let value = AdminText.decoded(part), !value.isEmpty else { return nil }
                values.append(value)
            } else if part != segment {
                return nil
            }
        }
        return values
    }
}

/// Text of a URL.
enum AdminText {
    /// The text of a percent-encoded part; nil when it is not one, or not UTF-8.
    static func decoded(_ part: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = part.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let code = UInt8(String(rest.prefix(2)) ?? "", radix: 16)
            else { return nil }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The names and values of a query, in order; nil when it is malformed. A plus is a space, as
    /// forms have it.
    static func query(_ text: String) -> [(name: String, value: String)]? {
        var pairs: [(name: String, value: String)] = []
        for part in text.split(separator: "&") {
            let end = part.firstIndex(of: "=") ?? part.endIndex
            let value = part[end...].dropFirst().replacing("+", with: " ")
            guard let name = decoded(part[..<end]), let value = decoded(Substring(value)) else {
                return nil
            }
            pairs.append((name, value))
        }
        return pairs
    }
}
