import Domain
import JSON

/// A request of the admin HTTP API, read and checked against its route: what its command is told.
struct AdminQuestion {
    let route: AdminRoute
    /// What stands in its path.
    let names: [String: String]
    /// The words of the command line.
    var words: AdminWords
    /// What was given by name, as text: from the query and the body.
    let given: [String: String]
    /// The page that is asked for.
    let limit: Int
    let after: AdminPage.Cursor?
    /// The file that is its body; nil where the route takes none.
    let file: [UInt8]?

    /// The largest body, in bytes.
    static let mostBody = 65_536
    /// The largest file, in bytes. The listener's own limit may be lower.
    static let mostFile = 16_777_216

    /// Reads a request of a route. Throws what is wrong with it, by name.
    init(_ request: AdminRequest, _ route: AdminRoute, values: [String]) throws(AdminFault) {
        self.route = route
        var words = AdminWords()
        var given: [String: String] = [:]
        var names: [String: String] = [:]
        for (field, value) in zip(route.names, values) {
            names[field.name] = value
            words.add([value], of: field)
        }
        var (limit, after) = (AdminPage.usual, AdminPage.Cursor?.none)
        let query = try Self.query(request, route)
        for (name, value) in query {
            if case .page(_, let fields) = route.answer, name == "limit" || name == "after" {
                if name == "limit" { limit = try Self.limit(value) }
                if name == "after" { after = try Self.cursor(value, fields) }
                continue
            }
            guard let field = route.query.first(where: { $0.name == name }) else { continue }
            let value = try Self.checked(value, field)
            given[name] = value
            if field.name != AdminField.format.name { words.add([value], of: field) }
        }
        if let missing = route.query.first(where: { $0.isRequired && given[$0.name] == nil }) {
            throw Self.missing(missing)
        }
        file = route.takesFile ? try Self.file(of: request) : nil
        if file == nil {
            try Self.readBody(request, route, &words, &given)
        } else {
            // No name of a file here: the command is given what was sent.
            words.add(["-"], of: .argument("file", "The body."))
        }
        for option in route.always { words.add(option: option) }
        self.names = names
        self.words = words
        self.given = given
        self.limit = limit
        self.after = after
    }

    /// How an export is written.
    var form: AdminExport.Form { given["format"].flatMap(AdminExport.Form.init) ?? .jsonl }

    // MARK: The query

    private static func query(
        _ request: AdminRequest, _ route: AdminRoute
    ) throws(AdminFault) -> [(name: String, value: String)] {
        guard let pairs = AdminText.query(request.query) else {
            throw .invalid(
                "malformed_query", "The query is not percent-encoded UTF-8.",
                "Encode names and values as URLs have them.")
        }
        var accepted = route.query.map(\.name)
        if case .page = route.answer { accepted += ["limit", "after"] }
        var seen: Set<String> = []
        for (name, _) in pairs {
            guard accepted.contains(name) else { throw unknown(name, accepted, "query parameter") }
            let isList = route.query.contains { $0.name == name && $0.kind == .texts }
            guard seen.insert(name).inserted || isList else {
                throw .invalid(
                    "duplicate_parameter", "\(QuotedText.quoted(name)) stands twice in the query.",
                    "Give it once.", parameter: name)
            }
        }
        return pairs
    }

    private static func limit(_ text: String) throws(AdminFault) -> Int {
        guard let limit = Int(text), (1...AdminPage.most).contains(limit) else {
            throw .invalid(
                "invalid_value", "limit is a whole number from 1 to \(AdminPage.most).",
                "Leave it out for \(AdminPage.usual).", parameter: "limit")
        }
        return limit
    }

    private static func cursor(
        _ text: String, _ fields: [String]
    ) throws(AdminFault) -> AdminPage.Cursor {
        guard let cursor = AdminPage.Cursor(text, fields) else {
            throw .invalid(
                "invalid_cursor", "after is none of this list's cursors.",
                "Give the next of the page before, as it was; leave it out for the first page.",
                parameter: "after")
        }
        return cursor
    }

    /// The text of a query as its field has it.
    private static func checked(_ text: String, _ field: AdminField) throws(AdminFault) -> String {
        switch field.kind {
        case .flag where !["true", "false"].contains(text): throw wrong(field, "true or false")
        case .integer where Int64(text) == nil: throw wrong(field, "a whole number")
        case .text, .integer, .flag, .texts, .amount: break
        }
        if let values = field.values, !values.contains(text) {
            throw wrong(field, "one of " + values.joined(separator: ", "))
        }
        return text
    }

    // MARK: The body

    private static func readBody(
        _ request: AdminRequest, _ route: AdminRoute, _ words: inout AdminWords,
        _ given: inout [String: String]
    ) throws(AdminFault) {
        guard let fields = route.body else {
            guard request.body.isEmpty else {
                throw .invalid(
                    "body_not_taken", "This request takes no body.", "Send it without one.")
            }
            return
        }
        let document = try Self.document(request)
        if let document {
            for (name, value) in document.root.members {
                guard let field = fields.first(where: { $0.name == name }) else {
                    throw unknown(name, fields.map(\.name), "field")
                }
                if value.isNull {
                    if let flag = field.null { words.add(option: flag) }
                    continue
                }
                let values = try texts(value, field)
                words.add(values, of: field)
                given[name] = values.joined(separator: ",")
            }
        }
        if let missing = fields.first(where: { $0.isRequired && given[$0.name] == nil }) {
            throw Self.missing(missing)
        }
    }

    /// A value as the command line has it.
    private static func texts(
        _ value: JSONValue, _ field: AdminField
    ) throws(AdminFault) -> [String] {
        var texts: [String] = []
        switch field.kind {
        case .text:
            guard let text = value.string else { throw wrong(field, "a text") }
            texts = [text]
        case .integer:
            guard let number = value.integer else { throw wrong(field, "a whole number") }
            texts = [String(number)]
        case .flag:
            guard let flag = value.bool else { throw wrong(field, "true or false") }
            texts = [flag ? "true" : "false"]
        case .amount:
            guard let text = value.string ?? value.integer.map({ String($0) }) else {
                throw wrong(field, "a text with an exact amount, such as \"2.50\"")
            }
            texts = [text]
        case .texts:
            guard value.kind == .array else { throw wrong(field, "a list of texts") }
            for element in value.elements {
                guard let text = element.string else { throw wrong(field, "a list of texts") }
                texts.append(text)
            }
            if case .joined = field.spelling {
                guard !texts.isEmpty, texts.allSatisfy({ !$0.isEmpty && !$0.contains(",") }) else {
                    throw wrong(field, "a list of names without commas, or null")
                }
            }
        }
        guard texts.allSatisfy({ !$0.contains("\0") }) else {
            throw wrong(field, "a text without null characters")
        }
        if let values = field.values, !texts.allSatisfy(values.contains) {
            throw wrong(field, "one of " + values.joined(separator: ", "))
        }
        return texts
    }

    // MARK: What is wrong

    static func wrong(_ field: AdminField, _ accepted: String) -> AdminFault {
        .invalid(
            "invalid_value", "\(field.name) is \(accepted).", field.meaning, parameter: field.name)
    }

    private static func missing(_ field: AdminField) -> AdminFault {
        .invalid(
            "missing_field", "\(field.name) is missing.", field.meaning, parameter: field.name)
    }

    private static func unknown(
        _ name: String, _ accepted: [String], _ what: String
    ) -> AdminFault {
        .invalid(
            "unknown_field", "There is no \(what) \(QuotedText.quoted(name)) here.",
            accepted.isEmpty
                ? "This request takes none." : "Accepted: \(accepted.joined(separator: ", ")).",
            parameter: String(name.prefix(64)))
    }
}
