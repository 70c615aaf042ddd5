/// One group of request parameters in the reference.
struct ParameterReference: Sendable {
    let title: String
    let properties: [ReferenceSchema.Property]
}

/// The limits that an operator sets and a client is told.
struct ReferenceLimits: Sendable {
    let mostStops: Int
    let mostChoices: Int
    let bodyBytes: Int

    /// The limits of a gateway.
    init(_ configuration: GatewayConfiguration) {
        mostStops = configuration.mostStops
        mostChoices = configuration.mostChoices
        bodyBytes = configuration.connection.bodyBytes
    }
}

extension ParameterReference {
    /// Every parameter of a chat completion, in groups.
    static func all(_ limits: ReferenceLimits) -> [ParameterReference] {
        [
            group("The conversation", RequestParameter.Main.self) { $0.schema(limits) },
            group("How tokens are drawn", RequestParameter.Sampling.self) { $0.schema(limits) },
            group("Functions", RequestParameter.Tools.self, \.schema),
            group("The form of the answer", RequestParameter.Format.self, \.schema),
            group("Reasoning", RequestParameter.Reasoning.self, \.schema),
            group("Checks of what goes in and out", RequestParameter.Safeguards.self, \.schema),
            group("Sound, the web and moderation", RequestParameter.Additions.self, \.schema),
            group("About the request", RequestParameter.Account.self, \.schema),
            ParameterReference(
                title: "Taken with their neutral value only", properties: neutral),
        ]
    }

    private static func group<Name: RawRepresentable<String> & CaseIterable & Equatable>(
        _ title: String, _ names: Name.Type, _ schema: (Name) -> ReferenceSchema
    ) -> ParameterReference {
        ParameterReference(
            title: title,
            properties: names.allCases.map { name in
                required.contains(name.rawValue)
                    ? .required(name.rawValue, schema(name))
                    : .optional(name.rawValue, schema(name))
            })
    }

    private static let required = [
        RequestParameter.Main.model.rawValue, RequestParameter.Main.messages.rawValue,
    ]

    /// What clients send without having chosen it, from the table by which the reader takes it.
    private static var neutral: [ReferenceSchema.Property] {
        NeutralParameters.table.sorted { $0.key < $1.key }.map { name, rule in
            guard let schema = rule.schema else {
                return ReferenceSchema.Property(name: name, schema: .null)
            }
            return .optional(name, schema)
        }
    }
}

extension NeutralParameters.Rule {
    /// The values that are taken beside null; nil where there are none.
    fileprivate var schema: ReferenceSchema? {
        switch self {
        case .refused: nil
        case .bool(let neutral): ReferenceSchema(type: "boolean", values: [.bool(neutral)])
        case .integer(let neutral): ReferenceSchema(type: "integer", values: [.integer(neutral)])
        case .words(let neutral): .words(neutral)
        }
    }
}
