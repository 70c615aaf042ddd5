import JSON

/// The reference as OpenAPI 3.1.
enum OpenAPIDocument {
    /// The bytes of the document.
    static func write(_ reference: APIReference) -> [UInt8] {
        var writer = JSONWriter(capacity: 1 << 17)
        json(reference).write(to: &writer)
        return writer.finish()
    }

    private static func json(_ reference: APIReference) -> ReferenceValue {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "Turnpike", "version": "1",
                "description":
                    "Chat completions for any OpenAI client, behind quotas. The same for people: /docs.",
            ],
            "servers": [["url": "/"]],
            "paths": .object(paths(reference)),
            "components": [
                "securitySchemes": [
                    "key": [
                        "type": "http", "scheme": "bearer",
                        "description": "The API key, as `Authorization: Bearer KEY`.",
                    ]
                ],
                "headers": .object(
                    HeaderReference.all.map { header in
                        ReferenceValue.Member(
                            name: header.name, value: ["schema": header.schema.json])
                    }),
                "schemas": .object(
                    reference.objects.map {
                        ReferenceValue.Member(name: $0.name, value: $0.schema.json)
                    }),
            ],
        ]
    }

    private static func paths(_ reference: APIReference) -> [ReferenceValue.Member] {
        reference.operations.flatMap { operation in
            operation.paths.enumerated().map { position, path in
                ReferenceValue.Member(
                    name: path,
                    value: .object([
                        ReferenceValue.Member(
                            name: operation.route.method.lowercased(),
                            value: .object(members(of: operation, position, reference)))
                    ]))
            }
        }
    }

    private static func members(
        of operation: OperationReference, _ position: Int, _ reference: APIReference
    ) -> [ReferenceValue.Member] {
        var members: [ReferenceValue.Member] = []
        func add(_ name: String, _ value: ReferenceValue) {
            members.append(ReferenceValue.Member(name: name, value: value))
        }
        // Each path needs an id of its own.
        let suffix = position == 0 ? "" : "_\(position + 1)"
        add("operationId", .string(operation.id + suffix))
        add("summary", .string(operation.title))
        let other = position == 0 ? "" : " The same as at `\(operation.paths[0])`."
        add("description", .string(operation.description + other))
        add("security", operation.route.needsKey ? [["key": []]] : [])
        if operation.route == .model {
            add(
                "parameters",
                [
                    [
                        "name": "model", "in": "path", "required": true,
                        "schema": ReferenceSchema.string(1...Int.max).json, "example": "demo",
                    ]
                ])
        }
        if operation.route == .usage { add("parameters", .array(usageParameters)) }
        if operation.route == .chatCompletions {
            add("parameters", [idempotencyKey])
            add("requestBody", requestBody)
        }
        add("responses", .object(responses(operation, reference)))
        add(
            "x-codeSamples",
            .array(
                ReferenceExamples.programs(operation.route).map {
                    ["lang": .string($0.language), "source": .string($0.source)]
                }))
        return members
    }

    private static let idempotencyKey: ReferenceValue = {
        var schema = ReferenceSchema.string(1...IdempotencyHeader.longestValue)
        schema.pattern = "^[!-~]+$"
        return [
            "name": "Idempotency-Key", "in": "header", "required": false, "schema": schema.json,
            "description": "Names the request within its API key, so that a retry is not charged.",
        ]
    }()

    private static let usageParameters: [ReferenceValue] = BooksReference.parameters.map {
        [
            "name": .string($0.name), "in": "query", "required": false, "schema": $0.schema.json,
            "description": .string($0.schema.description),
        ]
    }

    private static let requestBody: ReferenceValue = [
        "required": true,
        "content": [
            "application/json": [
                "schema": ReferenceSchema.named("ChatCompletionRequest").json,
                "examples": .object(
                    ReferenceExamples.requests.map { example in
                        ReferenceValue.Member(
                            name: example.name,
                            value: ["value": .json(Array(example.body.description.utf8))])
                    }),
            ]
        ],
    ]

    private static func responses(
        _ operation: OperationReference, _ reference: APIReference
    ) -> [ReferenceValue.Member] {
        var responses: [ReferenceValue.Member] = []
        for status in Set(operation.answers.map(\.status)).sorted() {
            let answers = operation.answers.filter { $0.status == status }
            var content: [ReferenceValue.Member] = []
            for answer in answers where !answer.type.isEmpty {
                content.append(
                    ReferenceValue.Member(name: answer.type, value: .object(media(answer))))
            }
            var members: [ReferenceValue.Member] = [
                ReferenceValue.Member(
                    name: "description",
                    value: .string(answers.map(\.description).joined(separator: " "))),
                ReferenceValue.Member(name: "headers", value: headers(operation.headers)),
            ]
            if !content.isEmpty {
                members.append(ReferenceValue.Member(name: "content", value: .object(content)))
            }
            responses.append(ReferenceValue.Member(name: String(status), value: .object(members)))
        }
        for (status, lines) in operation.errors(among: reference.errors) {
            responses.append(ReferenceValue.Member(name: String(status), value: error(lines)))
        }
        return responses
    }

    private static func media(_ answer: OperationReference.Answer) -> [ReferenceValue.Member] {
        let schema = answer.schema.map(ReferenceSchema.named)
        // The reference itself is any object, and the page is text.
        let plain: ReferenceSchema = answer.type == "application/json" ? .anyObject : .string
        var members: [ReferenceValue.Member] = []
        let isStream = answer.type == "text/event-stream"
        // OpenAPI 3.1 has no word for the schema of each event; the description names it.
        if !isStream {
            members.append(ReferenceValue.Member(name: "schema", value: (schema ?? plain).json))
        }
        if let example = isStream
            ? ReferenceExamples.stream : ReferenceExamples.answer(answer.schema)
        {
            members.append(ReferenceValue.Member(name: "example", value: example))
        }
        return members
    }

    private static func error(_ lines: [ErrorReference]) -> ReferenceValue {
        let names = HeaderReference.errors.filter { header in
            lines.contains { $0.headers.contains(header.name) }
        }
        return [
            "description": .string(lines.map(\.meaning).joined(separator: " ")),
            "headers": headers(HeaderReference.common + names),
            "content": [
                "application/json": [
                    "schema": ReferenceSchema.named("ErrorBody").json,
                    "example": ReferenceExamples.error(lines[0].answer),
                ]
            ],
        ]
    }

    private static func headers(_ headers: [HeaderReference]) -> ReferenceValue {
        .object(
            headers.map {
                ReferenceValue.Member(
                    name: $0.name, value: ["$ref": .string("#/components/headers/\($0.name)")])
            })
    }
}
