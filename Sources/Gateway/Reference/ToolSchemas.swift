/// Tools in a request: what is offered, what is chosen of it, and what was called before.
enum ToolSchemas {
    static let function = ReferenceSchema.object([
        .required("name", .name),
        .optional("description", .string.saying("Tells the model when and how to call it.")),
        .optional("parameters", .anyObject.saying("The JSON Schema of its arguments.")),
        .optional(
            "strict", .bool.saying("Whether the arguments must follow the schema exactly.")),
    ])

    static let custom = ReferenceSchema.object([
        .required("name", .name),
        .optional("description", .string.saying("Tells the model when and how to call it.")),
        .optional("format", .named("CustomToolFormat")),
    ])

    /// What the model may write.
    static let format = ReferenceSchema.choice([
        .object([.required("type", .words(["text"]))]),
        .object([
            .required("type", .words(["grammar"])),
            .required(
                "grammar",
                .object([
                    .required("definition", .string),
                    .required("syntax", .words(CustomInput.Syntax.self)),
                ])),
        ]),
    ])

    static let tool = ReferenceSchema.choice([
        typed("function", .named("Function")),
        typed("custom", .named("CustomTool"))
            .saying("Takes a text in place of arguments, at backends that can."),
    ])

    static let functionName = ReferenceSchema.object([.required("name", .name)])

    private static func chosen(_ type: String) -> ReferenceSchema {
        typed(type, .named("FunctionName"))
    }

    static let choice = ReferenceSchema.choice([
        chosen("function").saying("The function of this name must be called."),
        chosen("custom").saying("The custom tool of this name must be called."),
        typed(
            "allowed_tools",
            .object([
                .required("mode", .words(["auto", "required"])),
                .required(
                    "tools",
                    .array(
                        .choice([chosen("function"), chosen("custom")]),
                        1...ParameterLimits.mostTools)),
            ])
        ).saying("One of these may, or must, be called; no other."),
    ])

    static let functionCall = ReferenceSchema.object([
        .required("name", .name), .required("arguments", .string.saying("A JSON text.")),
    ])

    static let call = ReferenceSchema.choice([
        .object([
            .required("id", .string.saying("As the answer told it.")),
            .optional("type", .words(["function"])),
            .required("function", .named("FunctionCall")),
        ]),
        .object([
            .required("id", .string),
            .required("type", .words(["custom"])),
            .required(
                "custom", .object([.required("name", .name), .required("input", .string)])),
        ]),
    ])

    /// An object of a type, whose value has the type's name.
    private static func typed(_ type: String, _ schema: ReferenceSchema) -> ReferenceSchema {
        .object([.required("type", .words([type])), .required(type, schema)])
    }
}
