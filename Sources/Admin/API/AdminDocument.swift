import Domain

/// The admin HTTP API for machines: OpenAPI 3.1, made of the routes that the router has.
enum AdminDocument {
    /// Where it is.
    static let path = "/admin/openapi.json"

    /// The whole document.
    static func make(_ routes: [AdminRoute]) -> AdminJSON {
        var paths: [(String, [(String, AdminJSON)])] = []
        for route in routes {
            let path = "/admin/" + route.path
            let entry = (route.method.lowercased(), operation(route))
            if let index = paths.firstIndex(where: { $0.0 == path }) {
                paths[index].1.append(entry)
            } else {
                paths.append((path, [entry]))
            }
        }
        return .object([
            ("openapi", .text("3.1.0")),
            (
                "info",
                .object([
                    ("title", .text("Turnpike admin API")), ("version", .text("1")),
                    (
                        "description",
                        .text(
                            "What `turnpike admin` does, over HTTP: the same nouns, the same "
                                + "fields. Every failure is one envelope with code, message and "
                                + "advice.")
                    ),
                ])
            ),
            ("paths", .object(paths.map { ($0.0, .object($0.1)) })),
            (
                "components",
                .object([
                    ("schemas", .object([("Error", errorSchema)])),
                    (
                        "securitySchemes",
                        .object([
                            (
                                "adminKey",
                                .object([("type", .text("http")), ("scheme", .text("bearer"))])
                            )
                        ])
                    ),
                ])
            ),
            ("security", .array([.object([("adminKey", .array([]))])])),
        ])
    }

    private static func operation(_ route: AdminRoute) -> AdminJSON {
        var members: [(String, AdminJSON)] = [
            ("operationId", .text(route.operation)), ("summary", .text(route.summary)),
            (
                "description",
                .text(
                    "Takes the role \(route.role.rawValue)."
                        + (route.reach == .installation
                            ? " Not for keys that are bound to an organization." : ""))
            ),
            ("parameters", .array(parameters(route))),
        ]
        if route.takesFile {
            let text = AdminJSON.object([("type", .text("string")), ("minLength", .integer(1))])
            members.append(
                (
                    "requestBody",
                    .object([
                        ("required", .flag(true)),
                        ("description", .text("The file as it is, of any media type.")),
                        (
                            "content",
                            .object([
                                ("application/octet-stream", .object([("schema", text)])),
                                ("application/json", .object([("schema", .object([]))])),
                            ])
                        ),
                    ])
                ))
        } else if let body = route.body {
            let isRequired = body.contains(where: \.isRequired)
            members.append(
                (
                    "requestBody",
                    .object([
                        ("required", .flag(isRequired)),
                        ("content", content(object(body))),
                    ])
                ))
        }
        members.append(("responses", .object(responses(route))))
        return .object(members)
    }

    // MARK: What it takes

    private static func parameters(_ route: AdminRoute) -> [AdminJSON] {
        func parameter(
            _ name: String, _ place: String, _ meaning: String, _ required: Bool,
            _ schema: AdminJSON
        ) -> AdminJSON {
            .object([
                ("name", .text(name)), ("in", .text(place)), ("description", .text(meaning)),
                ("required", .flag(required)), ("schema", schema),
            ])
        }
        var all = route.names.map { field in
            parameter(
                field.name, "path", field.meaning, true,
                .object([("type", .text("string")), ("minLength", .integer(1))]))
        }
        all += route.query.map {
            parameter($0.name, "query", $0.meaning, $0.isRequired, schema($0))
        }
        if case .page = route.answer {
            all.append(
                parameter(
                    "limit", "query", "The most rows of the page.", false,
                    .object([
                        ("type", .text("integer")), ("minimum", .integer(1)),
                        ("maximum", .integer(AdminPage.most)),
                        ("default", .integer(AdminPage.usual)),
                    ])))
            all.append(
                parameter(
                    "after", "query", "The `next` of the page before.", false,
                    .object([("type", .text("string"))])))
        }
        if route.creation != nil {
            all.append(
                parameter(
                    "Idempotency-Key", "header",
                    "Makes a repetition make nothing more: it is answered with what there is.",
                    false,
                    .object([
                        ("type", .text("string")), ("pattern", .text("^[!-~]{1,255}$")),
                    ])))
        }
        return all
    }

    /// A field. In a body, where `null` is as good as nothing, all that is not required may be null.
    private static func schema(_ field: AdminField, mayBeNull: Bool = false) -> AdminJSON {
        let null = mayBeNull && !field.isRequired ? ["null"] : []
        func typed(_ name: String) -> [(String, AdminJSON)] {
            [("type", .texts([name] + null)), ("description", .text(field.meaning))]
        }
        let values = field.values.map { $0.map(AdminJSON.text) }
        let choice = values.map { [("enum", AdminJSON.array($0 + null.map { _ in .null }))] } ?? []
        switch field.kind {
        case .text: return .object(typed("string") + choice)
        case .integer: return .object(typed("integer"))
        case .flag: return .object(typed("boolean"))
        case .amount:
            return .object([
                ("type", .texts(["string", "integer"] + null)),
                ("description", .text(field.meaning)),
            ])
        case .texts:
            let items: [(String, AdminJSON)] =
                [("type", .text("string"))] + (values.map { [("enum", .array($0))] } ?? [])
            return .object(typed("array") + [("items", .object(items))])
        }
    }

    private static func object(_ fields: [AdminField]) -> AdminJSON {
        .object([
            ("type", .text("object")), ("additionalProperties", .flag(false)),
            ("required", .texts(fields.filter(\.isRequired).map(\.name))),
            ("properties", .object(fields.map { ($0.name, schema($0, mayBeNull: true)) })),
        ])
    }

    // MARK: What it answers

    private static func responses(_ route: AdminRoute) -> [(String, AdminJSON)] {
        var good: [(String, AdminJSON)] = [
            ("description", .text("Done.")), ("content", content(answer(route.answer))),
        ]
        if case .stream(let names) = route.answer { good = stream(names) }
        let bad = AdminJSON.object([
            ("description", .text("Why it was not done.")),
            ("content", content(.object([("$ref", .text("#/components/schemas/Error"))]))),
        ])
        let failures = [400, 401, 403, 404, 405, 409, 413, 415, 422, 500, 503].map {
            (String($0), bad)
        }
        return [("200", .object(good))]
            + (route.creation == nil ? [] : [("201", .object(good))]) + failures
    }

    /// Lines of records, which come as long as there are any.
    private static func stream(_ names: [String]) -> [(String, AdminJSON)] {
        let count = AdminJSON.object([
            (
                "description",
                .text(
                    "How many records the books have of those hours. Fewer lines than that: retention "
                        + "has dropped the others.")
            ),
            ("schema", .object([("type", .text("integer"))])),
        ])
        // Without schemas: no line of it is a document of its own.
        let kinds = AdminExport.Form.allCases.map { ($0.mediaType, AdminJSON.object([])) }
        return [
            (
                "description",
                .text(
                    "Lines in chunks: objects of \(names.joined(separator: ", ")), or the same as CSV "
                        + "with a line of names first. An answer that breaks off has no last chunk."
                )
            ),
            ("headers", .object([(AdminExport.countHeader, count)])),
            ("content", .object(kinds)),
        ]
    }

    private static func answer(_ answer: AdminRoute.Answer) -> AdminJSON {
        func list(_ names: [String], _ more: [(String, AdminJSON)]) -> AdminJSON {
            let rows = AdminJSON.object([("type", .text("array")), ("items", record(names))])
            return .object([
                ("type", .text("object")), ("additionalProperties", .flag(false)),
                ("required", .texts(["data"] + more.map(\.0))),
                ("properties", .object([("data", rows)] + more)),
            ])
        }
        let flag = AdminJSON.object([("type", .text("boolean"))])
        let text = AdminJSON.object([("type", .texts(["string", "null"]))])
        switch answer {
        case .one(let names): return record(names)
        case .page(let names, _): return list(names, [("has_more", flag), ("next", text)])
        case .rows(let names): return list(names, [])
        case .verdict(let names): return list(names, [("passes", flag), ("reason", text)])
        case .stream: return text
        }
    }

    private static func record(_ names: [String]) -> AdminJSON {
        .object([
            ("type", .text("object")), ("additionalProperties", .flag(false)),
            ("properties", .object(names.map { ($0, AdminAnswerField.schema($0)) })),
        ])
    }

    private static func content(_ schema: AdminJSON) -> AdminJSON {
        .object([("application/json", .object([("schema", schema)]))])
    }

    private static let errorSchema: AdminJSON = {
        let text = AdminJSON.object([("type", .text("string"))])
        let error = AdminJSON.object([
            ("type", .text("object")),
            ("required", .texts(["code", "message", "advice", "param"])),
            (
                "properties",
                .object([
                    ("code", text), ("message", text), ("advice", text),
                    ("param", .object([("type", .texts(["string", "null"]))])),
                ])
            ),
        ])
        return .object([
            ("type", .text("object")), ("required", .texts(["error"])),
            ("properties", .object([("error", error)])),
        ])
    }()
}

/// What a field of an answer is: the same everywhere, whatever it belongs to.
enum AdminAnswerField {
    private static let counts: Set<String> = [
        "limit", "used", "reserved", "leased", "left", "needs", "pepper_id", "shard", "shards",
        "charged", "corrected", "requests", "leases", "ended_leases", "records", "prompt_bound",
        "completion_bound", "threshold_percent", "status", "tries", "deliveries",
        "waiting_accounts", "here", "there", "difference", "refused", "error_permille",
    ]
    private static let flags: Set<String> = [
        "stream_usage", "mirror_reasoning", "clamp", "passes", "soft", "warns",
    ]
    private static let lists: Set<String> = [
        "models", "endpoints", "tags", "attempts", "price_corrections", "accounts",
    ]
    private static let endings = ["_tokens", "_requests", "_nanousd", "_us", "_seconds"]

    /// The field in JSON Schema.
    static func schema(_ name: String) -> AdminJSON {
        func type(_ types: [String]) -> [(String, AdminJSON)] { [("type", .texts(types))] }
        if name == "price_version" { return .object(type(["string", "integer", "null"])) }
        // What an action found and left: the fields of whatever it changed.
        if name == "before" || name == "after" { return .object(type(["object", "null"])) }
        if lists.contains(name) {
            return .object(
                type(["array", "null"]) + [("items", .object([("type", .text("string"))]))])
        }
        if flags.contains(name) { return .object(type(["boolean", "null"])) }
        if counts.contains(name) || endings.contains(where: name.hasSuffix) {
            return .object(type(["integer", "null"]))
        }
        if name.hasSuffix("_at"), name != "period_start" {
            return .object(type(["string", "null"]) + [("format", .text("date-time"))])
        }
        return .object(type(["string", "null"]))
    }
}
